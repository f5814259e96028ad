using System.Text.Json.Nodes;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;

namespace FuncStash.Tests.Workflows;

/// <summary>Runs that failed: their dead letters and failure functions (protocol#run-dead-letters).</summary>
public sealed class RunDeadLetterTests : IAsyncLifetime
{
    private readonly TestService _service = new();
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync() => _flow = await WorkflowEndpoint.StartAsync(_service);

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task A_run_that_failed_is_listed_apart_from_other_dead_letters()
    {
        var id = await FailAsync("wfr_a");

        var listed = (await _service.CallAsync("GET", "/v2/workflows/dlq?workflowRunId=wfr_a")).Json["messages"]!.AsArray();
        var bySource = (await _service.CallAsync("GET", "/v2/dlq?source=workflow")).Json["messages"]!.AsArray();
        var plain = (await _service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray();
        var one = await _service.CallAsync("GET", "/v2/workflows/dlq/" + id);
        var none = await _service.CallAsync("GET", $"/v2/dlq?workflowRunId=wfr_a&workflowCreatedAt={_service.Now}");

        Assert.Equal(id, (string)Assert.Single(bySource)!["dlqId"]!);
        Assert.Equal(Assert.Single(listed)!.ToJsonString(), one.Json.ToJsonString());
        Assert.Equal(("p", 500, "answered 500"), ((string)one.Json["body"]!, (int)one.Json["responseStatus"]!, (string)one.Json["responseBody"]!));
        Assert.Empty(plain);
        Assert.Empty(none.Json["messages"]!.AsArray());
        Assert.Equal("RUN_FAILED", (string)(await _flow.LogAsync("wfr_a"))["workflowState"]!);
        Assert.Equal(404, (await _service.CallAsync("GET", "/v2/workflows/dlq/1-1000000001")).Status);
    }

    [Fact]
    public async Task It_is_resumed_where_it_failed_and_restarted_with_its_payload()
    {
        var (first, second) = (await FailAsync("wfr_a"), await FailAsync("wfr_b"));
        _flow.Status = 200;

        var resumed = await _service.CallAsync("POST", "/v2/workflows/dlq/resume/" + first);
        await _service.DeliverDueAsync();
        Assert.Equal(["p", WorkflowEndpoint.Step(1, "one")], _flow.Deliveries[^1].Entries);
        Assert.Equal((string)resumed.Json["workflowRunId"]!, _flow.Deliveries[^1].Headers["Upstash-Workflow-RunId"]);

        var restarted = await _service.CallAsync("POST", "/v2/workflows/dlq/restart/" + second, "", null, ("Upstash-Retries", "7"));
        await _service.DeliverDueAsync();
        Assert.Equal(["p"], _flow.Deliveries[^1].Entries);
        Assert.Equal("7", _flow.Deliveries[^1].Headers["Upstash-Max-Retries"]);
        Assert.Equal((200, 200), (resumed.Status, restarted.Status));
        Assert.Equal(404, (await _service.CallAsync("POST", "/v2/workflows/dlq/resume/" + first)).Status);
    }

    [Fact]
    public async Task What_slept_beside_the_failure_wakes_in_the_resumed_run_also_late()
    {
        await _flow.StartAsync("wfr_s", "p", ("Upstash-Retries", "0"));
        _flow.Status = 500;
        await _flow.SubmitAsync("wfr_s", Plan(1), ("Upstash-Delay", "30s"));
        await _flow.SubmitAsync("wfr_s", Plan(2));
        await _service.DeliverDueAsync();
        var letter = (string)Assert.Single((await _service.CallAsync("GET", "/v2/workflows/dlq")).Json["messages"]!.AsArray())!["dlqId"]!;
        _flow.Status = 200;
        _service.Time.Advance(TimeSpan.FromMinutes(2));
        await _service.DeliverDueAsync();
        var before = _flow.Deliveries.Count;

        await _service.CallAsync("POST", "/v2/workflows/dlq/resume/" + letter);
        _service.Time.Advance(TimeSpan.FromMilliseconds(1));
        await _service.DeliverDueAsync();

        Assert.Equal([Plan(1), Plan(2)], _flow.Deliveries.Skip(before).Select(delivery => delivery.Entries[^1]).Order());

        static string Plan(int step) => $$"""{"stepId":0,"targetStep":{{step}},"stepName":"s{{step}}","stepType":"Run","concurrent":2}""";
    }

    [Fact]
    public async Task A_restart_after_a_resume_that_was_cut_off_starts_a_run_of_its_own()
    {
        var letter = await FailAsync("wfr_a");
        _flow.Status = 200;
        var letters = _service.Get<DeadLetterStore>();
        var key = _service.Get<MessageIds>().Next().OfRun();
        await letters.BeginRetryAsync((await letters.GetAsync(DlqId.Parse(letter)))!, key);
        // As far as the resume came: a step, and no run.
        await _service.Get<RunStore>().AddAsync(key, new RunStep(StepKey.Initial, key.Text, _service.Now) { Position = 0 });

        var restarted = await _service.CallAsync("POST", "/v2/workflows/dlq/restart/" + letter);
        await _service.DeliverDueAsync();

        Assert.Equal(200, restarted.Status);
        Assert.Equal(["p"], _flow.Deliveries[^1].Entries);
    }

    [Theory]
    [InlineData("resume")]
    [InlineData("restart")]
    public async Task Many_go_on_at_once_and_none_when_one_of_those_named_is_unknown(string how)
    {
        var ids = new[] { await FailAsync("wfr_a"), await FailAsync("wfr_b") };
        _flow.Status = 200;

        var refused = await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}?dlqIds={ids[0]},1-1000000001");
        var done = await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}?dlqIds={ids[0]},{ids[1]}");

        Assert.Equal(404, refused.Status);
        Assert.Equal(2, done.Json["workflowRuns"]!.AsArray().Count);
        Assert.Empty((await _service.CallAsync("GET", "/v2/workflows/dlq")).Json["messages"]!.AsArray());
        if (how == "resume")
            Assert.Equal(404, (await _service.CallAsync("POST", "/v2/workflows/dlq/resume?dlqIds=" + ids[0])).Status);
        else
            Assert.Equal(404, (await _service.CallAsync("POST", "/v2/workflows/dlq/restart?dlqIds=" + ids[0])).Status);
    }

    [Fact]
    public async Task It_is_deleted_one_or_many()
    {
        var id = await FailAsync("wfr_a");
        await FailAsync("wfr_b");
        await FailAsync("wfr_c");

        Assert.Equal(0, (int)(await _service.CallAsync("DELETE", "/v2/dlq?workflowRunId=wfr_b")).Json["deleted"]!);
        Assert.Equal(0, (int)(await _service.CallAsync("DELETE", $"/v2/dlq?workflowCreatedAt={_service.Now}")).Json["deleted"]!);
        Assert.Equal(404, (await _service.CallAsync("POST", $"/v2/dlq/retry?dlqIds=1-1000000001&workflowRunId=a&workflowCreatedAt=1")).Status);
        Assert.Equal(200, (await _service.CallAsync("DELETE", "/v2/workflows/dlq/" + id)).Status);
        Assert.Equal(404, (await _service.CallAsync("DELETE", "/v2/workflows/dlq/" + id)).Status);
        var many = await _service.CallAsync("DELETE", "/v2/workflows/dlq?workflowRunId=wfr_b");
        Assert.Equal(1, (int)many.Json["deleted"]!);
        Assert.Single((await _service.CallAsync("GET", "/v2/workflows/dlq")).Json["messages"]!.AsArray());
    }

    [Fact]
    public async Task Its_failure_function_is_told_and_called_anew_or_cancelled_by_hand()
    {
        var failing = ("Upstash-Failure-Callback", _flow.Url);
        var id = await FailAsync("wfr_a", failing, ("Upstash-Failure-Callback-Feature-Set", "InitialBody"), ("Upstash-Failure-Callback-Retries", "0"));
        await _service.DeliverDueAsync();

        var told = JsonNode.Parse(_flow.Deliveries[^1].Body)!;
        Assert.Equal(("wfr_a", 500), ((string)told["workflowRunId"]!, (int)told["status"]!));
        Assert.Equal("p", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)told["sourceBody"]!)));
        Assert.Equal("CALLBACK_FAIL", await FailureStateAsync(id));
        Assert.Equal(400, (await _service.CallAsync("DELETE", "/v2/workflows/dlq/callback/" + id)).Status);

        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/workflows/dlq/callback/" + id)).Status);
        Assert.Equal("CALLBACK_INPROGRESS", await FailureStateAsync(id));
        Assert.Equal(200, (await _service.CallAsync("DELETE", "/v2/workflows/dlq/callback/" + id)).Status);
        Assert.Equal("CALLBACK_CANCELED", await FailureStateAsync(id));
        Assert.Equal(400, (await _service.CallAsync("POST", "/v2/workflows/dlq/callback/" + id)).Status);
    }

    [Fact]
    public async Task A_first_delivery_that_no_workflow_answers_fails_the_run_at_once()
    {
        _flow.IsWorkflow = false;
        await _flow.StartAsync("wfr_a", "p");

        var log = await _flow.LogAsync("wfr_a");
        Assert.Equal("RUN_FAILED", (string)log["workflowState"]!);
        Assert.Single(_flow.Deliveries);
        var error = log["steps"]![1]!["steps"]![0]!["errors"]![0]!;
        Assert.Equal("answered 200", (string)error["body"]!);
        Assert.StartsWith("detected a non-workflow destination", (string)error["error"]!, StringComparison.Ordinal);
    }

    // A run whose second delivery fails for good; its dead letter's id.
    private async Task<string> FailAsync(string runId, params (string Name, string Value)[] headers)
    {
        _flow.Status = 200;
        await _flow.StartAsync(runId, "p", [("Upstash-Retries", "0"), .. headers]);
        await _flow.SubmitAsync(runId, WorkflowEndpoint.Step(1, "one"));
        _flow.Status = 500;
        await _service.DeliverDueAsync();
        return (string)(await _flow.LogAsync(runId))["dlqId"]!;
    }

    private async Task<string> FailureStateAsync(string id) =>
        (string)(await _service.CallAsync("GET", "/v2/workflows/dlq/" + id)).Json["failureCallbackInfo"]!["state"]!;
}
