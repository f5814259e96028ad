using System.Globalization;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Workflows;

/// <summary>
/// The server is killed again and again while runs take steps in sequence and side by side, sleep, call and wait: each run ends
/// once with the right result, and a step whose result was acknowledged never runs again. FUNCSTASH_SEED repeats the kill
/// points of an earlier run, as far as timing can be repeated.
/// </summary>
[Collection(Alone.Name)]
public abstract class WorkflowCrashTests(HostFixture hosts, NodeSdk sdk, ITestOutputHelper output) : EndToEndTests(hosts, sdk)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    protected virtual int Runs => 100;

    protected virtual int Kills => 20;

    [Fact]
    public async Task Every_run_ends_once_with_the_right_result_and_no_acknowledged_step_runs_again()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FUNCSTASH_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"{Hosts.Name}: FUNCSTASH_SEED={seed}");
        await using var data = await Hosts.NewDataAsync();
        var host = await Hosts.StartAsync(data);
        await using var last = new Last(() => host);
        await using var app = await WorkflowApp.StartAsync(host);

        var runs = Enumerable.Range(0, Runs).Select(n => $"wfr_{Unique("run")}-{n}").ToList();
        var driving = Task.WhenAll(runs.Select((run, n) => DriveAsync(app, run, n)));
        var random = new Random(seed);
        var kills = new List<(long From, long To)>();
        for (var kill = 1; kill <= Kills; kill++)
        {
            // Some live long enough to go on with what the one before them was at, which a server waits for three seconds with.
            await Task.Delay(TimeSpan.FromMilliseconds(kill % 2 == 0 ? random.Next(300, 1500) : random.Next(3300, 6000)), TimeProvider.System);
            var from = Now();
            host = await Hosts.ReplaceAsync(host, data, isLast: kill == Kills);
            kills.Add((from, Now()));
        }
        output.WriteLine($"{await app.ReturnedAsync()} of {Runs} had returned when the last kill was over");
        await driving;
        await Eventually.GetAsync(app.ReturnedAsync, returned => returned == Runs, returned => $"{returned} of {Runs} returned", s_patience);

        var (twice, late) = (0, 0);
        for (var n = 0; n < Runs; n++)
        {
            var log = await app.LogAsync(runs[n], "RUN_SUCCESS", s_patience);
            var result = string.Create(CultureInfo.InvariantCulture, $"{n} {n + 1} {n + 2} {n + 3} {2 * n} {n} false");
            Assert.Equal(result, (string?)JsonNode.Parse((string)log["workflowRunResponse"]!));
            var record = await app.RecordAsync(runs[n]);
            Assert.All(record.Returned, returned => Assert.Equal(result, (string?)returned));
            Assert.Empty(record.Lost);
            Assert.Equal([1, 2, 3, 5, 9], record.Ran.Select(step => step.Id).Distinct().Order());
            twice += record.Ran.Count - 5;
            late += record.Late.Count;
            // A step whose result nobody could take runs again, and that only a kill explains: no step runs twice under a server
            // that lives. The SDK asks for it again and again for as long as it is down, so that the kill may have begun before.
            Assert.All(record.Ran.GroupBy(step => step.Id).SelectMany(same => same.Zip(same.Skip(1))), pair =>
                Assert.Contains(kills, kill => kill.From <= pair.Second.At && kill.To >= pair.First.At));
            // What an endpoint sees ends with what it is told of, and is never another for the same message.
            Assert.All(record.Deliveries.Where(delivery => delivery.Entries is not null), delivery => Assert.Equal(delivery.MessageId, delivery.Entries![^1]));
            Assert.All(record.Deliveries.Where(delivery => delivery.Entries is not null).GroupBy(delivery => delivery.MessageId),
                same => Assert.All(same, delivery => Assert.Equal(same.First().Entries, delivery.Entries)));
        }
        // At most the deliveries that were open when the server died, each time.
        output.WriteLine($"{twice} steps ran again before their result was acknowledged, {(double)twice / Kills:0.0} a kill; {late} of them while it was being acknowledged");
        Assert.Equal(0, await host.StopAsync());
    }

    // Ends the server that is the last one then, however the test ends.
    private sealed class Last(Func<RunningHost> host) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => host().DisposeAsync();
    }

    // Starts a run and sends it its event, however often the server is down meanwhile.
    private static async Task DriveAsync(WorkflowApp app, string run, int n)
    {
        await UntilAcknowledgedAsync(() => app.TriggerAsync(
            app.Flow("everything"), new { workflowRunId = run[4..], body = new { n }, retries = 50, retryDelay = "300" }));
        await UntilAcknowledgedAsync(() => app.CallAsync("notify", new { eventId = $"event-{run}", eventData = new { n }, workflowRunId = run }));
    }

    private static Task<string> UntilAcknowledgedAsync(Func<Task> call) => Eventually.GetAsync(
        async () =>
        {
            try
            {
                await call();
                return "";
            }
            catch (Exception error) when (error is SdkException or HttpRequestException)
            {
                return error.Message;
            }
        },
        error => error.Length == 0, timeout: s_patience);
}

public sealed class WorkflowCrashesOnSqlite(SqliteHost hosts, NodeSdk sdk, ITestOutputHelper output) : WorkflowCrashTests(hosts, sdk, output);

public sealed class WorkflowCrashesOnAzurite(AzuriteHost hosts, NodeSdk sdk, ITestOutputHelper output) : WorkflowCrashTests(hosts, sdk, output)
{
    protected override int Runs => 50;

    protected override int Kills => 8;
}

public sealed class WorkflowCrashesOnFunctions(FunctionsHost hosts, NodeSdk sdk, ITestOutputHelper output) : WorkflowCrashTests(hosts, sdk, output)
{
    protected override int Runs => 20;

    protected override int Kills => 3;
}
