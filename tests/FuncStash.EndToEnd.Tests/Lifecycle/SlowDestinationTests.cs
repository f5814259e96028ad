using FuncStash.EndToEnd.Tests.Hosts;
using FuncStash.EndToEnd.Tests.Receiving;
using FuncStash.EndToEnd.Tests.Sdk;
using FuncStash.EndToEnd.Tests.Wire;

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
}

public sealed class SlowDestinationsOnSqlite(SqliteHost hosts, NodeSdk sdk) : SlowDestinationTests(hosts, sdk);

public sealed class SlowDestinationsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : SlowDestinationTests(hosts, sdk);

public sealed class SlowDestinationsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : SlowDestinationTests(hosts, sdk);
