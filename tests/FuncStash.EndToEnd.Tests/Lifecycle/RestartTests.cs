namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>What a stopped server owes is done by the next one on the same data.</summary>
public abstract class RestartTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task Delayed_and_retrying_messages_survive_a_restart()
    {
        var data = await Hosts.NewDataAsync();
        Receiver.Answers("/retried", Answer.Of(500), Answer.Ok);
        string delayed, retried, finished;
        await using (var before = await Hosts.StartAsync(data))
        {
            var wire = new WireClient(before);
            finished = await wire.PublishAsync(Receiver.Url("/finished"));
            retried = await wire.PublishAsync(Receiver.Url("/retried"), "r", ("Upstash-Retry-Delay", "8000"));
            await wire.StatesUntilAsync(finished, "DELIVERED");
            await wire.StatesUntilAsync(retried, "RETRY");
            delayed = await wire.PublishAsync(Receiver.Url("/delayed"), "d", ("Upstash-Delay", "8s"));
            Assert.Equal(0, await before.StopAsync());
        }

        Assert.Empty(Receiver.Requests("/delayed"));
        await Hosts.EndLeasesAsync(data);
        await using var after = await Hosts.StartAsync(data);
        var again = new WireClient(after);
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await again.StatesUntilAsync(delayed, "DELIVERED"));
        Assert.Equal(
            ["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED"], await again.StatesUntilAsync(retried, "DELIVERED"));
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await again.StatesUntilAsync(finished, "DELIVERED"));
        Assert.Equal("1", Receiver.Requests("/retried")[1].Header("upstash-retried"));
        Assert.Single(Receiver.Requests("/delayed"));
        Assert.Single(Receiver.Requests("/finished"));
        await after.StopAsync();
        await data.DisposeAsync();
    }

    [Fact]
    public async Task A_stopping_server_finishes_the_attempt_in_flight()
    {
        var data = await Hosts.NewDataAsync();
        var gate = new TaskCompletionSource();
        Receiver.Answers("/slow", Answer.Hang(gate.Task));
        await using var before = await Hosts.StartAsync(data);
        var id = await new WireClient(before).PublishAsync(Receiver.Url("/slow"));
        await Receiver.OneAsync("/slow");

        var stopping = before.StopAsync();
        await Eventually.GetAsync(async () => await RefusesAsync(before), refuses => refuses);
        gate.SetResult();
        Assert.Equal(0, await stopping);

        await using var after = await Hosts.StartAsync(data);
        Assert.Equal(
            ["CREATED", "ACTIVE", "DELIVERED"], await new WireClient(after).StatesUntilAsync(id, "DELIVERED"));
        Assert.Single(Receiver.Requests("/slow"));
        await after.StopAsync();
        await data.DisposeAsync();
    }

    private static async Task<bool> RefusesAsync(RunningHost host)
    {
        try
        {
            await new WireClient(host).GetAsync("/v2/keys");
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }
}

public sealed class RestartsOnSqlite(SqliteHost hosts, NodeSdk sdk) : RestartTests(hosts, sdk);

public sealed class RestartsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : RestartTests(hosts, sdk);

public sealed class RestartsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : RestartTests(hosts, sdk);
