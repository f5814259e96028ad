using System.Collections.Concurrent;
using System.Net;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>The storage account is killed and comes back while the server runs.</summary>
[Collection(Alone.Name)]
public abstract class StorageOutageTests(HostFixture hosts, NodeSdk sdk, ITestOutputHelper output) : EndToEndTests(hosts, sdk)
{
    private const int Messages = 60, BeforeOutage = 25;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Publishes_are_refused_meanwhile_and_what_was_acknowledged_is_delivered_afterwards()
    {
        Receiver.Answers("/failing", Answer.Of(500));
        var data = await AzuriteData.StartDurableAsync();
        await using var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);
        var acknowledged = new ConcurrentDictionary<string, string>();
        var refused = 0;

        var publishing = Parallel.ForAsync(0, Messages, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (n, _) =>
        {
            var (path, settings) = n % 3 == 0
                ? ("/failing", new[] { ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "500") })
                : ("/hook", [("Upstash-Delay", n % 3 == 1 ? "1s" : "0s")]);
            await Eventually.GetAsync(
                async () =>
                {
                    var answer = await wire.TryPublishAsync(Receiver.Url(path), [], settings);
                    if (answer.Status == HttpStatusCode.OK)
                        return acknowledged.TryAdd((string)answer.Json["messageId"]!, path);
                    Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status);
                    Assert.EndsWith(": try again later", answer.Error, StringComparison.Ordinal);
                    Assert.Equal(["5"], answer.Headers.GetValues("Retry-After"));
                    Interlocked.Increment(ref refused);
                    return false;
                },
                accepted => accepted, timeout: s_patience);
        });
        await Eventually.GetAsync(() => Task.FromResult(acknowledged.Count), count => count >= BeforeOutage, timeout: s_patience);
        data.Kill();
        await Eventually.GetAsync(() => Task.FromResult(Volatile.Read(ref refused)), count => count > 0, timeout: s_patience);
        await data.RestartAsync();
        await publishing;
        output.WriteLine($"{refused} publishes refused");

        Assert.Equal(Messages, acknowledged.Count);
        foreach (var (id, path) in acknowledged)
            await wire.StatesUntilAsync(id, path == "/failing" ? "FAILED" : "DELIVERED", s_patience);
        Assert.Equal(0, await host.StopAsync());
        await data.DisposeAsync();
    }

    [Fact]
    public async Task What_was_sent_before_is_settled_afterwards_and_not_sent_again()
    {
        var gate = new TaskCompletionSource();
        Receiver.Answers("/held", Answer.Hang(gate.Task));
        var data = await AzuriteData.StartDurableAsync();
        await using var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);
        var id = await wire.PublishAsync(Receiver.Url("/held"));
        await Receiver.OneAsync("/held");

        data.Kill();
        gate.SetResult();
        // Refused after as many tries as the outcome has had by then.
        await Eventually.GetAsync(
            () => wire.TryPublishAsync(Receiver.Url("/hook"), []), answer => answer.Status != HttpStatusCode.OK, timeout: s_patience);
        await data.RestartAsync();

        var states = await wire.StatesUntilAsync(id, "DELIVERED", s_patience);
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], states);
        Assert.Single(Receiver.Requests("/held"));
        Assert.Equal(0, await host.StopAsync());
        await data.DisposeAsync();
    }
}

public sealed class StorageOutagesOnAzurite(AzuriteHost hosts, NodeSdk sdk, ITestOutputHelper output) : StorageOutageTests(hosts, sdk, output);

public sealed class StorageOutagesOnFunctions(FunctionsHost hosts, NodeSdk sdk, ITestOutputHelper output) : StorageOutageTests(hosts, sdk, output);
