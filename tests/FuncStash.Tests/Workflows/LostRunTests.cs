using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Storage;
using FuncStash.Tests.Upkeep;
using FuncStash.Upkeep;
using FuncStash.Workflows;

namespace FuncStash.Tests.Workflows;

/// <summary>Whatever a run leaves, and a run that nothing brings on, has somebody who ends it (protocol#retention).</summary>
public sealed class LostRunTests : IAsyncLifetime
{
    private static readonly string s_big = new('x', 300_000);

    private readonly string _folder = Directory.CreateTempSubdirectory("funcstash-").FullName;
    private TestService _service = null!;
    private WorkflowEndpoint _flow = null!;

    private string File => Path.Combine(_folder, "store.db");

    public async ValueTask InitializeAsync()
    {
        _service = new TestService(path: File);
        _flow = await WorkflowEndpoint.StartAsync(_service);
    }

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_run_whose_endpoint_says_no_more_fails_and_can_be_restarted()
    {
        await _flow.StartAsync("wfr_a", "p", ("Upstash-Failure-Callback", _flow.Url), ("Upstash-Failure-Callback-Feature-Set", "InitialBody"));
        await PassAsync(days: 6);
        Assert.Equal("RUN_STARTED", await StateAsync("wfr_a"));

        await PassAsync(days: 4);

        Assert.Equal("RUN_FAILED", await StateAsync("wfr_a"));
        var told = JsonNode.Parse(_flow.Deliveries[^1].Body)!;
        Assert.Equal(("wfr_a", 412), ((string)told["workflowRunId"]!, (int)told["status"]!));
        var letter = Assert.Single((await _service.CallAsync("GET", "/v2/workflows/dlq")).Json["messages"]!.AsArray())!;
        Assert.StartsWith("nothing is left that could bring the run on", (string)letter["error"]!, StringComparison.Ordinal);
        Assert.Equal(200, (await _service.CallAsync("POST", $"/v2/workflows/dlq/restart/{letter["dlqId"]}")).Status);
        await _service.DeliverDueAsync();
        Assert.Equal(["p"], _flow.Deliveries[^1].Entries);
    }

    [Fact]
    public async Task A_run_whose_message_is_gone_fails_and_at_last_nothing_of_it_is_left()
    {
        var empty = await StoredRows.CountAsync(File);
        await _flow.TriggerAsync("wfr_a", s_big, ("Upstash-Delay", "1h"));
        var key = await KeyAsync("wfr_a");
        await DeleteAsync(key, MessageRows.Key(MessageRows.Live, key));

        await PassAsync(days: 9);
        Assert.Equal("RUN_FAILED", await StateAsync("wfr_a"));
        await PassAsync(days: 45);

        Assert.Equal([], Beyond(empty, await StoredRows.CountAsync(File)));
    }

    [Fact]
    public async Task A_run_that_sleeps_or_waits_or_whose_invoked_run_does_is_not_lost()
    {
        await _flow.StartAsync("wfr_sleeps", "p");
        await _flow.SubmitAsync("wfr_sleeps", WorkflowEndpoint.Step(1, "slept"), ("Upstash-Delay", "20d"));
        await _flow.StartAsync("wfr_waits", "p");
        await _flow.WaitAsync("wfr_waits", 1, "paid", "20d");
        await _flow.StartAsync("wfr_invokes", "p");
        await _flow.InvokeAsync("wfr_invokes", 1, "wfr_invoked");
        await _service.DeliverDueAsync();
        await _flow.SubmitAsync("wfr_invoked", WorkflowEndpoint.Step(1, "slept"), ("Upstash-Delay", "20d"));

        await PassAsync(days: 18);

        foreach (var run in new[] { "wfr_sleeps", "wfr_waits", "wfr_invokes", "wfr_invoked" })
            Assert.Equal("RUN_STARTED", await StateAsync(run));
        Assert.Single((await _service.CallAsync("POST", "/v2/notify/paid", "e")).Json.AsArray());
        await _service.DeliverDueAsync();
        Assert.Equal(2, _flow.Deliveries[^1].Entries.Count);
    }

    [Fact]
    public async Task Whoever_invoked_a_run_that_says_no_more_is_told_that_it_failed()
    {
        await _flow.StartAsync("wfr_a", "p");
        await _flow.InvokeAsync("wfr_a", 1, "wfr_b");
        await _service.DeliverDueAsync();

        await PassAsync(days: 9);

        Assert.Equal("RUN_FAILED", await StateAsync("wfr_b"));
        AssertFailed(_flow.Deliveries[^1].Entries);
    }

    [Fact]
    public async Task Whoever_invoked_a_run_that_is_gone_is_told_that_it_failed()
    {
        await _flow.StartAsync("wfr_a", "p");
        await _flow.InvokeAsync("wfr_a", 1, "wfr_b");
        await _service.DeliverDueAsync();
        var key = await KeyAsync("wfr_b");
        await DeleteAsync(key, RunRows.RunKey(RunRows.Live, key));

        await PassAsync(days: 9);

        AssertFailed(_flow.Deliveries[^1].Entries);
    }

    [Fact]
    public async Task An_invoked_run_is_kept_until_it_has_answered()
    {
        await _flow.StartAsync("wfr_a", "p");
        await _flow.InvokeAsync("wfr_a", 1, "wfr_b");
        await _service.DeliverDueAsync();
        var (parent, child) = (await KeyAsync("wfr_a"), await KeyAsync("wfr_b"));
        await _flow.FinishAsync("wfr_b", "\"b\"");
        // The process died before it could tell, and the parent sleeps beside it.
        await DeleteAsync(parent, RunRows.StepRow(parent, StepKey.Result(1)));
        foreach (var id in await _service.Get<MessageStore>().OfRunAsync(parent))
        {
            await DeleteAsync(parent, MessageRows.Key(MessageRows.Live, id));
            await DeleteAsync(parent, MessageRows.RunMarkPrefix(parent) + id.Text);
        }
        await _service.Get<IStore>().Tables.CommitAsync(new Commit(
            RunRows.Table, RunRows.Partition(child), [new Write.Upsert(RunRows.ToRow(child, new Debt(DebtKind.Answer)))]));

        _service.Time.Advance(TimeSpan.FromDays(9));
        await _service.Get<Purge>().RunAsync();
        await _service.DeliverDueAsync();

        var step = JsonNode.Parse(_flow.Deliveries[^1].Entries[^1])!;
        Assert.Equal("\"b\"", (string)JsonNode.Parse((string)step["out"]!)!["body"]!);
        Assert.Null(await _service.Get<RunStore>().GetAsync(child));
    }

    [Fact]
    public async Task The_payload_whose_place_another_has_taken_goes()
    {
        await _flow.StartAsync("wfr_a", s_big);
        await _flow.TriggerAsync("wfr_a", s_big, ("Upstash-Workflow-Trigger-By-Sdk", "true"));
        await _service.CallAsync("POST", "/v2/notify/wfr_a/paid", s_big);
        await _service.DeliverDueAsync();
        await _flow.WaitAsync("wfr_a", 1, "paid");
        await _service.DeliverDueAsync();
        Assert.Equal(s_big, _flow.Deliveries[^1].Entries[0]);

        _service.Time.Advance(TimeSpan.FromSeconds(6));
        await _service.DeliverDueAsync();

        // The payload, and the step with the event in it.
        Assert.Equal(2, (await StoredRows.CountAsync(File))["bodies"]);
        Assert.Empty(await _service.Get<RunStore>().DebtsAsync(await KeyAsync("wfr_a")));
    }

    [Fact]
    public async Task A_wait_that_is_refused_or_never_came_to_be_and_an_id_without_a_run_leave_nothing()
    {
        var empty = await StoredRows.CountAsync(File);
        await _flow.StartAsync("wfr_a", "p");
        var key = await KeyAsync("wfr_a");
        await _flow.WaitAsync("wfr_a", 1, "paid", "2d");
        // Of processes that died in between.
        await _service.Get<WaiterIndex>().AddAsync("never", key, 9);
        await _service.Get<RunIndex>().ReserveAsync("wfr_never", _service.Get<MessageIds>().Next().OfRun());
        await _flow.FinishAsync("wfr_a", "");
        Assert.Equal(400, (await _flow.WaitAsync("wfr_a", 2, "late")).Status);
        await _service.DeliverDueAsync();

        await PassAsync(days: 20);

        Assert.Equal([], Beyond(empty, await StoredRows.CountAsync(File)));
    }

    [Fact]
    public async Task The_index_keeps_what_stands_for_a_run_that_is_under_way()
    {
        await _flow.StartAsync("wfr_a", "p");
        await _flow.WaitAsync("wfr_a", 1, "paid", "100d");

        await PassAsync(days: 30);

        Assert.Equal(0, await _service.Get<IndexPurge>().RunAsync());
        Assert.Single((await _service.CallAsync("POST", "/v2/notify/paid", "e")).Json.AsArray());
        Assert.Equal(200, (await _flow.FinishAsync("wfr_a", "")).Status);
    }

    [Fact]
    public async Task A_run_that_is_ended_by_two_fails_once()
    {
        await _flow.StartAsync("wfr_a", "p");
        var lost = _service.Get<LostRuns>();

        await lost.EndAsync(await KeyAsync("wfr_a"), _service.Now - 1);
        Assert.Equal("RUN_STARTED", await StateAsync("wfr_a"));
        await lost.EndAsync(await KeyAsync("wfr_a"), _service.Now + 1);
        await lost.EndAsync(await KeyAsync("wfr_a"), _service.Now + 1);

        Assert.Equal("RUN_FAILED", await StateAsync("wfr_a"));
        Assert.Single((await _service.CallAsync("GET", "/v2/workflows/dlq")).Json["messages"]!.AsArray());
    }

    private static IEnumerable<string> Beyond(Dictionary<string, long> before, Dictionary<string, long> now) =>
        now.Where(pair => pair.Value > before.GetValueOrDefault(pair.Key)).Select(pair => $"{pair.Key}: {pair.Value}");

    private static void AssertFailed(IReadOnlyList<string> entries)
    {
        var step = JsonNode.Parse(entries[^1])!;
        var result = JsonNode.Parse((string)step["out"]!)!;
        Assert.Equal((1, "wfr_b", true, false), ((int)step["stepId"]!, (string)result["workflowRunId"]!, (bool)result["isFailed"]!, (bool)result["isCanceled"]!));
    }

    private async Task PassAsync(int days)
    {
        for (var day = 0; day < days; day++)
        {
            _service.Time.Advance(TimeSpan.FromDays(1));
            await _service.DeliverDueAsync();
            await _service.Get<UpkeepService>().RunAsync();
            await _service.DeliverDueAsync();
        }
    }

    private async Task<string> StateAsync(string run) => (string)(await _flow.LogAsync(run))["workflowState"]!;

    private async Task<MessageId> KeyAsync(string run) => (await _service.Get<RunIndex>().FindAsync(run))!.Value;

    private async Task DeleteAsync(MessageId run, string row) =>
        await _service.Get<IStore>().Tables.CommitAsync(new Commit(RunRows.Table, RunRows.Partition(run), [new Write.Delete(row, null)]));
}
