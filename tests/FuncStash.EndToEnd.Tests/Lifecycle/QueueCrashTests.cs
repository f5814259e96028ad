using System.Globalization;
using System.Net;
using System.Text;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>
/// The server is killed while queued and flow-controlled messages are published and delivered: all arrive, those of the
/// queue in order, and no place stays taken. FUNCSTASH_SEED repeats the kill points, as far as timing can be repeated.
/// </summary>
[Collection(Alone.Name)]
public abstract class QueueCrashTests(HostFixture hosts, NodeSdk sdk, ITestOutputHelper output) : EndToEndTests(hosts, sdk)
{
    private const int Messages = 120, Kills = 4;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(180);

    private int _acknowledged;

    [Fact]
    public async Task All_are_delivered_in_the_order_of_their_queue_and_nothing_is_stuck()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FUNCSTASH_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"{Hosts.Name}: FUNCSTASH_SEED={seed}");
        var random = new Random(seed);
        var data = await Hosts.NewDataAsync();
        var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);

        var publishing = Task.WhenAll(
            PublishAllAsync(wire, "enqueue/q", "/queue"),
            PublishAllAsync(wire, "publish", "/key", ("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=2")));
        for (var kill = 1; kill <= Kills; kill++)
        {
            var point = ((kill - 1) * 2 * Messages / Kills) + random.Next(5, 2 * Messages / Kills);
            await Eventually.GetAsync(
                () => Task.FromResult(Volatile.Read(ref _acknowledged)), count => count >= point, timeout: TimeSpan.FromSeconds(60));
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), TimeProvider.System);
            host = await Hosts.ReplaceAsync(host, data, isLast: kill == Kills);
        }
        await publishing;

        await Eventually.GetAsync(
            () => wire.GetAsync("/v2/queues/q"), queue => (int)queue.Json["lag"]! == 0, timeout: s_patience);
        await Eventually.GetAsync(
            () => wire.GetAsync("/v2/flowControl/k"),
            key => (int)key.Json["waitListSize"]! + (int)key.Json["parallelismCount"]! == 0, timeout: s_patience);
        var order = Numbers("/queue");
        // A step that a kill cut off may have been sent twice, but never after the next one.
        Assert.Equal(order.Order(), order);
        Assert.Equal(Enumerable.Range(0, Messages), order.Distinct());
        Assert.InRange(order.Count, Messages, Messages + Kills);
        Assert.Equal(Enumerable.Range(0, Messages), Numbers("/key").Distinct().Order());
        Assert.InRange(Numbers("/key").Count, Messages, Messages + (2 * Kills));

        Assert.Equal(0, await host.StopAsync());
        await host.DisposeAsync();
        await data.DisposeAsync();
    }

    private List<int> Numbers(string path) =>
        [.. Receiver.Requests(path).Select(request => int.Parse(Encoding.UTF8.GetString(request.Body), CultureInfo.InvariantCulture))];

    // One after the other. What was not answered is published again under its deduplication id.
    private async Task PublishAllAsync(WireClient wire, string call, string path, params (string, string)[] headers)
    {
        for (var i = 0; i < Messages; i++)
        {
            var body = i.ToString(CultureInfo.InvariantCulture);
            await Eventually.GetAsync(
                async () =>
                {
                    try
                    {
                        return (await wire.SendAsync(
                            HttpMethod.Post, $"/v2/{call}/{Receiver.Url(path)}", Encoding.UTF8.GetBytes(body),
                            [.. headers, ("Upstash-Deduplication-Id", path[1..] + body)])).Status;
                    }
                    catch (HttpRequestException)
                    {
                        return HttpStatusCode.ServiceUnavailable;
                    }
                },
                status => status is HttpStatusCode.OK or HttpStatusCode.Accepted, timeout: TimeSpan.FromSeconds(60));
            Interlocked.Increment(ref _acknowledged);
        }
    }
}

public sealed class QueueCrashesOnSqlite(SqliteHost hosts, NodeSdk sdk, ITestOutputHelper output) : QueueCrashTests(hosts, sdk, output);

public sealed class QueueCrashesOnAzurite(AzuriteHost hosts, NodeSdk sdk, ITestOutputHelper output) : QueueCrashTests(hosts, sdk, output);

public sealed class QueueCrashesOnFunctions(FunctionsHost hosts, NodeSdk sdk, ITestOutputHelper output) : QueueCrashTests(hosts, sdk, output);
