
namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>A destination that hangs harms nobody else.</summary>
[Collection(Alone.Name)]
public abstract class SlowDestinationTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task Many_messages_to_a_hanging_destination_do_not_delay_another()
    {
        const int Many = 300;
        var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data);
        await using var hanging = await Receiver.StartAsync();
        var wire = new WireClient(host);
        var gate = new TaskCompletionSource();
        hanging.Answers("/hook", Answer.Hang(gate.Task));
        await Parallel.ForAsync(0, Many, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
            await wire.PublishAsync(hanging.Url("/hook"), "", ("Upstash-Retries", "0")));
        await hanging.OneAsync("/hook");

        var published = TimeProvider.System.GetUtcNow();
        await wire.PublishAsync(Receiver.Url("/healthy"));
        var request = await Receiver.OneAsync("/healthy");

        Assert.InRange((request.At - published).TotalSeconds, 0, 2);
        gate.SetResult();
        await hanging.WaitForAsync("/hook", Many);
        await host.StopAsync();
        await data.DisposeAsync();
    }

    [Fact]
    public async Task Ten_hanging_destinations_leave_places_for_a_thousand_messages_to_others()
    {
        // More for the hanging ones than an instance has places, and more at a time for the healthy than those leave free.
        const int Destinations = 10, Each = 30, Healthy = 1000, AtOnce = 16;
        var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);
        var hanging = new List<Receiver>();
        var gate = new TaskCompletionSource();
        for (var i = 0; i < Destinations; i++)
        {
            hanging.Add(await Receiver.StartAsync());
            hanging[i].Answers("/hook", Answer.Hang(gate.Task));
        }
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = AtOnce };
        await Parallel.ForAsync(0, Destinations * Each, atOnce, async (i, _) =>
            await wire.PublishAsync(hanging[i % Destinations].Url("/hook"), "", ("Upstash-Retries", "0")));
        foreach (var each in hanging)
            await each.OneAsync("/hook");

        var late = new TimeSpan[Healthy];
        await Parallel.ForAsync(0, Healthy, atOnce, async (i, _) =>
        {
            var published = TimeProvider.System.GetUtcNow();
            await wire.PublishAsync(Receiver.Url($"/healthy/{i}"));
            late[i] = (await Receiver.OneAsync($"/healthy/{i}")).At - published;
        });

        Assert.InRange(late.Max().TotalSeconds, 0, 5);
        gate.SetResult();
        foreach (var each in hanging)
        {
            // A message that found no place looks again after half a minute at most.
            await each.WaitForAsync("/hook", Each, TimeSpan.FromSeconds(60));
            Assert.Equal(Each, each.All.Count);
            await each.DisposeAsync();
        }
        await host.StopAsync();
        await data.DisposeAsync();
    }
}

public sealed class SlowDestinationsOnSqlite(SqliteHost hosts, NodeSdk sdk) : SlowDestinationTests(hosts, sdk);

public sealed class SlowDestinationsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : SlowDestinationTests(hosts, sdk);

public sealed class SlowDestinationsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : SlowDestinationTests(hosts, sdk);
