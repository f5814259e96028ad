using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>
/// What was acknowledged is never lost: the server is killed while messages are published, wait, are delivered
/// and fail. FUNCSTASH_SEED repeats the kill points of an earlier run, as far as timing can be repeated.
/// </summary>
[Collection(Alone.Name)]
public abstract class CrashTests(HostFixture hosts, NodeSdk sdk, ITestOutputHelper output) : EndToEndTests(hosts, sdk)
{
    private const int Messages = 300;
    private static readonly string[] s_kinds = ["/plain", "/plain", "/delayed", "/failing"];
    private readonly ConcurrentDictionary<string, string> _acknowledged = new();
    private readonly string _label = Unique("crash");

    protected virtual int Kills => 4;

    [Fact]
    public async Task Every_acknowledged_message_is_delivered_or_dead_lettered()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FUNCSTASH_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"{Hosts.Name}: FUNCSTASH_SEED={seed}");
        Receiver.Answers("/failing", Answer.Of(500));
        var data = await Hosts.NewDataAsync();
        var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);

        var publishing = PublishAllAsync(wire);
        host = await KillNowAndThenAsync(host, data, new Random(seed));
        await publishing;

        var ends = await Eventually.GetAsync(
            () => EndsAsync(wire),
            ends => _acknowledged.Keys.All(ends.Contains),
            ends => $"no end for {_acknowledged.Where(each => !ends.Contains(each.Key)).Take(5).Aggregate("", (all, each) => $"{all} {each}")}",
            TimeSpan.FromSeconds(150));
        var deadLetters = await DeadLettersAsync(wire);
        var attempts = Receiver.All.ToLookup(request => request.MessageId);

        Assert.InRange(_acknowledged.Count, Messages, Messages);
        Assert.All(_acknowledged, each =>
        {
            var (id, path) = each;
            var failing = path == "/failing";
            Assert.Equal([failing ? "FAILED" : "DELIVERED"], ends[id]);
            Assert.All(attempts[id], attempt => Assert.Equal(path, attempt.Path));
            Assert.Equal(failing, deadLetters.Contains(id));
            // A duplicate happens only where the server died between sending and settling.
            Assert.InRange(attempts[id].Count(), failing ? 2 : 1, (failing ? 2 : 1) + Kills);
            Assert.All(attempts[id], attempt => Assert.Contains(attempt.Header("upstash-retried"), failing ? ["0", "1"] : new[] { "0" }));
        });
        var expected = _acknowledged.Values.Sum(path => path == "/failing" ? 2 : 1);
        output.WriteLine($"{Kills} kills, {expected} attempts due, {_acknowledged.Keys.Sum(id => attempts[id].Count())} made");
        Assert.Equal(0, await host.StopAsync());
        await host.DisposeAsync();
        await data.DisposeAsync();
    }

    private Task PublishAllAsync(WireClient wire) =>
        Parallel.ForAsync(0, Messages, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (n, _) =>
        {
            var path = s_kinds[n % s_kinds.Length];
            (string, string)[] settings = path switch
            {
                "/delayed" => [("Upstash-Delay", "1s")],
                "/failing" => [("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "100")],
                _ => [],
            };
            // A refused connection, a broken one or an error of the host is no acknowledgement: the client publishes again.
            await Eventually.GetAsync(
                async () =>
                {
                    try
                    {
                        var answer = await wire.TryPublishAsync(
                            Receiver.Url(path), Encoding.UTF8.GetBytes(n.ToString(CultureInfo.InvariantCulture)),
                            [.. settings, ("Upstash-Label", _label)]);
                        Assert.True(answer.Status == HttpStatusCode.OK || (int)answer.Status >= 500, answer.ToString());
                        return answer.Status == HttpStatusCode.OK && _acknowledged.TryAdd((string)answer.Json["messageId"]!, path);
                    }
                    catch (HttpRequestException)
                    {
                        return false;
                    }
                },
                acknowledged => acknowledged,
                timeout: TimeSpan.FromSeconds(60));
        });

    private async Task<RunningHost> KillNowAndThenAsync(RunningHost host, DataStore data, Random random)
    {
        for (var kill = 1; kill <= Kills; kill++)
        {
            var point = ((kill - 1) * Messages / Kills) + random.Next(10, Messages / Kills);
            await Eventually.GetAsync(
                () => Task.FromResult(_acknowledged.Count), count => count >= point, timeout: TimeSpan.FromSeconds(60));
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), TimeProvider.System);
            host = await KillAsync(host, data, isLast: kill == Kills);
            output.WriteLine($"killed after {_acknowledged.Count} acknowledgements and {Receiver.All.Count} deliveries");
        }

        return host;
    }

    /// <summary>Kills a host, or a part of it, and brings it back.</summary>
    protected virtual Task<RunningHost> KillAsync(RunningHost host, DataStore data, bool isLast) =>
        Hosts.ReplaceAsync(host, data, isLast);

    private async Task<ILookup<string, string>> EndsAsync(WireClient wire) =>
        (await wire.EventsAsync($"label={_label}", pageSize: 250))
            .Select(entry => (Id: (string)entry["messageId"]!, State: (string)entry["state"]!))
            .Where(entry => entry.State is "DELIVERED" or "FAILED" or "CANCELED")
            .ToLookup(entry => entry.Id, entry => entry.State);

    private async Task<HashSet<string>> DeadLettersAsync(WireClient wire)
    {
        HashSet<string> ids = [];
        string? cursor = null;
        do
        {
            var page = (await wire.GetAsync($"/v2/dlq?label={_label}" + (cursor is null ? "" : "&cursor=" + Uri.EscapeDataString(cursor)))).Json;
            foreach (JsonNode? letter in page["messages"]!.AsArray())
                Assert.True(ids.Add((string)letter!["messageId"]!), $"two dead letters: {letter}");
            cursor = (string?)page["cursor"];
        }
        while (cursor is not null);
        return ids;
    }
}

public sealed class CrashesOnSqlite(SqliteHost hosts, NodeSdk sdk, ITestOutputHelper output) : CrashTests(hosts, sdk, output);

public sealed class CrashesOnAzurite(AzuriteHost hosts, NodeSdk sdk, ITestOutputHelper output) : CrashTests(hosts, sdk, output);

public sealed class CrashesOnFunctions(FunctionsHost hosts, NodeSdk sdk, ITestOutputHelper output) : CrashTests(hosts, sdk, output);

/// <summary>The app's process is killed; its host lives on and starts another.</summary>
public sealed class WorkerCrashesOnFunctions(FunctionsHost hosts, NodeSdk sdk, ITestOutputHelper output) : CrashTests(hosts, sdk, output)
{
    // After the third within half an hour the host gives up too, and leaves it to its platform.
    protected override int Kills => 2;

    protected override async Task<RunningHost> KillAsync(RunningHost host, DataStore data, bool isLast)
    {
        await Eventually.GetAsync(host.KillWorkerAsync, killed => killed, timeout: TimeSpan.FromSeconds(30));
        return host;
    }
}
