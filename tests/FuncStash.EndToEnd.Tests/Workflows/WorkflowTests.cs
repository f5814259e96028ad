using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Workflows;

/// <summary>Workflows of the official SDK, where they are hardest: many branches, steps, bytes and runs, and what comes at the wrong moment.</summary>
public abstract class WorkflowTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    protected virtual int Runs => 200;

    protected virtual int Steps => 200;

    [Fact]
    public async Task Branches_that_end_together_are_counted_once_each()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var run = await app.TriggerAsync(app.Flow("fan"), new { body = new { branches = 20 } });

        Assert.Equal(2470, (int)Returned(await app.LogAsync(run, "RUN_SUCCESS", s_patience))!);
        var record = await app.RecordAsync(run);
        Assert.Equal(Enumerable.Range(1, 21), record.Ran.Select(step => step.Id).Order());
        Assert.Single(record.Returned);
        Assert.All(record.Deliveries, delivery => Assert.Equal(delivery.MessageId, delivery.Entries![^1]));
    }

    [Fact]
    public async Task A_long_workflow_runs_each_step_once()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var run = await app.TriggerAsync(app.Flow("line"), new { body = new { steps = Steps } });

        Assert.Equal(Steps * (Steps + 1) / 2, (int)Returned(await app.LogAsync(run, "RUN_SUCCESS", s_patience))!);
        Assert.Equal(Enumerable.Range(1, Steps), (await app.RecordAsync(run)).Ran.Select(step => step.Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Payloads_and_results_of_two_megabytes_come_back_as_they_were(bool isExpress)
    {
        const int Bytes = 2_000_000;
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var text = string.Concat(Enumerable.Repeat("ü😀\"\\/<&+'", Bytes / 20));
        var url = isExpress ? app.ExpressFlow("large") : app.Flow("large");
        var run = await app.TriggerAsync(url, new { body = new { bytes = Bytes, text } });

        var sums = Returned(await app.LogAsync(run, "RUN_SUCCESS", s_patience))!.AsArray().Select(sum => (string)sum!).ToList();
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), sums[0]);
        Assert.Equal(4, sums.Distinct().Count());
        Assert.Equal([1, 2, 3], (await app.RecordAsync(run)).Ran.Select(step => step.Id).Order());
    }

    [Fact]
    public async Task Many_runs_at_once_all_end_once()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var runs = await Task.WhenAll(Enumerable.Range(0, Runs).Select(_ => app.TriggerAsync(app.Flow("line"), new { body = new { steps = 3 } })));

        await Eventually.GetAsync(app.ReturnedAsync, returned => returned == Runs, returned => $"{returned} of {Runs} returned", s_patience);
        foreach (var run in runs)
        {
            var record = await app.RecordAsync(run);
            Assert.Equal([1, 2, 3], record.Ran.Select(step => step.Id));
            Assert.Single(record.Returned);
        }
    }

    [Fact]
    public async Task Events_that_come_before_their_waits_are_kept_in_order()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var name = Unique("event");
        var run = await app.TriggerAsync(app.Flow("waiter"), new { body = new Dictionary<string, object> { ["event"] = name, ["delay"] = 2 } });
        foreach (var data in new[] { "first", "second" })
            await app.CallAsync("notify", new { eventId = name, eventData = data, workflowRunId = run });

        var all = Returned(await app.LogAsync(run, "RUN_SUCCESS", s_patience))!.AsArray();
        Assert.Equal(["first", "second"], all.Select(data => (string)data!));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_in_its_sleep_sleeps_on()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var run = await app.TriggerAsync(app.Flow("sleeper"), new { body = new { seconds = 2 } });
        await Eventually.GetAsync(() => app.RecordAsync(run), record => record.Ran.Count == 1, timeout: s_patience);
        Assert.Equal(1, (int)(await app.CallAsync("cancel", new { ids = new[] { run } }))!["cancelled"]!);

        // One that began after it has slept as long by the time it ends.
        var other = await app.TriggerAsync(app.Flow("sleeper"), new { body = new { seconds = 3 } });
        await app.LogAsync(other, "RUN_SUCCESS", s_patience);
        Assert.Single((await app.RecordAsync(run)).Ran);
        await app.LogAsync(run, "RUN_CANCELED");
        Assert.Equal(0, (int)(await app.CallAsync("cancel", new { ids = new[] { run } }))!["cancelled"]!);
    }

    [Fact]
    public async Task Ten_triggers_of_one_id_start_one_run()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var id = Unique("same");
        await Task.WhenAll(Enumerable.Range(0, 10).Select(n => app.TriggerAsync(app.Flow("line"), new { workflowRunId = id, body = new { steps = 3 } })));

        await app.LogAsync($"wfr_{id}", "RUN_SUCCESS", s_patience);
        var record = await app.RecordAsync($"wfr_{id}");
        Assert.Equal([1, 2, 3], record.Ran.Select(step => step.Id));
        Assert.Single(record.Returned);
    }

    [Fact]
    public async Task Runs_invoke_runs_that_invoke_runs()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var run = await app.TriggerAsync(app.Flow("parent"), new { body = new { depth = 3 } });

        Assert.Equal("false false false bottom", (string?)Returned(await app.LogAsync(run, "RUN_SUCCESS", s_patience)));
    }

    [Fact]
    public async Task A_run_that_failed_is_told_of_resumed_and_restarted()
    {
        await using var app = await WorkflowApp.StartAsync(await Hosts.SharedAsync());
        var key = Unique("key");
        var runs = new List<string>();
        foreach (var _ in new[] { "resume", "restart" })
        {
            var run = await app.TriggerAsync(app.Flow("failing"), new { body = new { key } });
            await app.LogAsync(run, log => (string?)log["workflowState"] == "RUN_FAILED" && log["dlqId"] is not null, s_patience);
            await Eventually.GetAsync(() => app.RecordAsync($"failure of {run}"), record => record.Returned.Count == 1, timeout: s_patience);
            runs.Add(run);
        }
        await app.MendAsync(key);

        var resumed = await AgainAsync(app, "resume", runs[0]);
        Assert.Equal([2], (await app.RecordAsync(resumed)).Ran.Select(step => step.Id));
        var restarted = await AgainAsync(app, "restart", runs[1]);
        Assert.Equal([1, 2], (await app.RecordAsync(restarted)).Ran.Select(step => step.Id));
    }

    private static async Task<string> AgainAsync(WorkflowApp app, string how, string run)
    {
        var letter = await Eventually.GetAsync(
            async () => (await app.CallAsync("dlq.list", new { filter = new { workflowRunId = run } }))!["messages"]!.AsArray().SingleOrDefault(),
            letter => letter is not null, timeout: s_patience);
        var started = await app.CallAsync($"dlq.{how}", new { dlqId = (string)letter!["dlqId"]! });
        var again = (string)started!["workflowRunId"]!;
        Assert.Equal("mended", (string?)Returned(await app.LogAsync(again, "RUN_SUCCESS", s_patience)));
        return again;
    }

    internal static JsonNode? Returned(JsonNode log) => JsonNode.Parse((string)log["workflowRunResponse"]!);
}

public sealed class WorkflowsOnSqlite(SqliteHost hosts, NodeSdk sdk) : WorkflowTests(hosts, sdk)
{
    [Fact]
    public async Task The_example_in_TypeScript_runs_to_its_end()
    {
        var host = await Hosts.SharedAsync();
        await NodeModules.EnsureAsync(Repository.WorkflowExampleFolder);
        var settings = new Dictionary<string, string?>
        {
            ["QSTASH_URL"] = host.Url.GetLeftPart(UriPartial.Authority), ["QSTASH_TOKEN"] = host.Credentials.Token, ["PORT"] = "0",
            ["QSTASH_CURRENT_SIGNING_KEY"] = host.Credentials.CurrentSigningKey, ["QSTASH_NEXT_SIGNING_KEY"] = host.Credentials.NextSigningKey,
        };
        var id = Unique("order");
        await using var example = ChildProcess.Start("npx", ["tsx", "order.ts", id], settings, Repository.WorkflowExampleFolder, tree: true);

        var line = await example.WaitForLineAsync(line => line.StartsWith("wfr_", StringComparison.Ordinal), TimeSpan.FromMinutes(1));
        Assert.StartsWith($"wfr_{id} RUN_SUCCESS", line, StringComparison.Ordinal);
        Assert.Contains("\"delivered\":\"at the door\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_example_in_Python_runs_to_its_end()
    {
        if (!await Python.CanImportAsync("upstash_workflow.fastapi, uvicorn"))
            Assert.Skip("Python cannot import upstash_workflow, fastapi and uvicorn: pip install them, or set PYTHONPATH");
        var settings = new Dictionary<string, string?>
        {
            ["QSTASH_URL"] = Host.Url.GetLeftPart(UriPartial.Authority), ["QSTASH_TOKEN"] = Host.Credentials.Token,
            ["QSTASH_CURRENT_SIGNING_KEY"] = Host.Credentials.CurrentSigningKey, ["QSTASH_NEXT_SIGNING_KEY"] = Host.Credentials.NextSigningKey,
        };
        await using var example = ChildProcess.Start("python3", ["-m", "uvicorn", "order:app", "--port", "0"], settings, Repository.WorkflowExampleFolder);
        var line = await example.WaitForLineAsync(line => line.Contains("running on http", StringComparison.Ordinal), TimeSpan.FromMinutes(1));
        var url = line[line.IndexOf("http", StringComparison.Ordinal)..].Split(' ')[0];
        var id = Unique("order");

        // With signing keys, its endpoint takes nothing but what the server has signed.
        await Wire.PublishAsync(url + "/order", $$"""{"id":"{{id}}","items":["tea","cups"]}""", ("Content-Type", "application/json"));

        var log = await Eventually.GetAsync(
            async () => (await Wire.GetAsync($"/v2/workflows/logs?workflowUrl={Uri.EscapeDataString(url + "/order")}")).Json["runs"]!.AsArray().SingleOrDefault(),
            log => (string?)log?["workflowState"] == "RUN_SUCCESS", log => $"{log?.ToJsonString()}\n{example.Output}", TimeSpan.FromMinutes(1));
        Assert.Contains($"{id}: 20, shipped: True", log!.ToJsonString(), StringComparison.Ordinal);
    }
}

public sealed class WorkflowsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : WorkflowTests(hosts, sdk)
{
    protected override int Runs => 50;
}

public sealed class WorkflowsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : WorkflowTests(hosts, sdk)
{
    protected override int Runs => 30;

    protected override int Steps => 60;
}
