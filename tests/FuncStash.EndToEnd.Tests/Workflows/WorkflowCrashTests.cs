using System.Globalization;
using System.Text.Json.Nodes;
using FuncStash.EndToEnd.Tests.Hosts;
using FuncStash.EndToEnd.Tests.Sdk;
using FuncStash.EndToEnd.Tests.Wire;

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
        await using var app = await WorkflowApp.StartAsync(host);

        var runs = Enumerable.Range(0, Runs).Select(n => $"wfr_{Unique("run")}-{n}").ToList();
        var driving = Task.WhenAll(runs.Select((run, n) => DriveAsync(app, run, n)));
        var random = new Random(seed);
        for (var kill = 1; kill <= Kills; kill++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(300, 1500)), TimeProvider.System);
            host = await Hosts.ReplaceAsync(host, data, isLast: kill == Kills);
        }
        output.WriteLine($"{await app.ReturnedAsync()} of {Runs} had returned when the last kill was over");
        await driving;
        await Eventually.GetAsync(app.ReturnedAsync, returned => returned == Runs, returned => $"{returned} of {Runs} returned", s_patience);

        var twice = 0;
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
            // What an endpoint sees ends with what it is told of, and is never another for the same message.
            Assert.All(record.Deliveries.Where(delivery => delivery.Entries is not null), delivery => Assert.Equal(delivery.MessageId, delivery.Entries![^1]));
            Assert.All(record.Deliveries.Where(delivery => delivery.Entries is not null).GroupBy(delivery => delivery.MessageId),
                same => Assert.All(same, delivery => Assert.Equal(same.First().Entries, delivery.Entries)));
        }
        output.WriteLine($"{twice} steps ran again before their result was acknowledged");
        Assert.Equal(0, await host.StopAsync());
        await host.DisposeAsync();
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
