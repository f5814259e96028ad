
namespace FuncStash.Tests.Workflows;

/// <summary>Runs from their trigger to their end (protocol#workflows).</summary>
public sealed class RunLifeTests : IAsyncLifetime
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
    public async Task Each_step_is_delivered_with_the_history_up_to_it_until_the_workflow_returns()
    {
        await _flow.StartAsync("wfr_a", "{\"n\":1}", ("Upstash-Label", "l"), ("Upstash-Forward-Mine", "m"));
        var submitted = await _flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "one"));
        await _service.DeliverDueAsync();
        var history = await _service.CallAsync("GET", "/v2/workflows/runs/wfr_a");
        var finished = await _flow.FinishAsync("wfr_a", "\"done\"");
        await _service.DeliverDueAsync();

        Assert.Equal(2, _flow.Deliveries.Count);
        Assert.Equal(["{\"n\":1}"], _flow.Deliveries[0].Entries);
        Assert.Equal(["{\"n\":1}", WorkflowEndpoint.Step(1, "one")], _flow.Deliveries[1].Entries);
        Assert.All(_flow.Deliveries, delivery =>
        {
            Assert.Equal(delivery.Last, delivery.Headers["Upstash-Message-Id"]);
            Assert.Equal("wfr_a", delivery.Headers["Upstash-Workflow-RunId"]);
            Assert.Equal(_service.Now.ToString(System.Globalization.CultureInfo.InvariantCulture), delivery.Headers["Upstash-Workflow-CreatedAt"]);
            Assert.Equal("1", delivery.Headers["Upstash-Workflow-Sdk-Version"]);
            Assert.Equal("l", delivery.Headers["Upstash-Label"]);
            Assert.Equal("m", delivery.Headers["Mine"]);
        });
        Assert.Equal(_flow.Deliveries[1].Last, (string)submitted.Json["messageId"]!);
        Assert.Equal(_flow.Deliveries[1].Body, history.Text);
        Assert.Equal(200, finished.Status);
        var log = await _flow.LogAsync("wfr_a");
        Assert.Equal(("RUN_SUCCESS", "\"done\""), ((string)log["workflowState"]!, (string)log["workflowRunResponse"]!));
        Assert.Equal(404, (await _service.CallAsync("GET", "/v2/workflows/runs/wfr_a")).Status);
    }

    [Fact]
    public async Task A_step_submitted_twice_is_there_once_and_one_of_a_run_that_is_over_is_400()
    {
        await _flow.StartAsync("wfr_a", "p");
        var first = await _flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "one"));
        var again = await _flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "another"));
        await _service.DeliverDueAsync();

        Assert.Equal(first.Text, again.Text);
        Assert.Equal(["p", WorkflowEndpoint.Step(1, "one")], _flow.Deliveries[^1].Entries);
        await _flow.FinishAsync("wfr_a", "");
        var late = await _flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(2, "two"));
        Assert.Equal((400, "can not append to a a cancelled workflow"), (late.Status, late.Error));
        Assert.Equal(200, (await _flow.FinishAsync("wfr_a", "")).Status);
        Assert.Equal(400, (await _flow.SubmitAsync("wfr_unknown", WorkflowEndpoint.Step(1, "one"))).Status);
    }

    [Fact]
    public async Task A_step_that_sleeps_has_its_place_when_it_is_due()
    {
        await _flow.StartAsync("wfr_a", "p");
        await _flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "slept"), ("Upstash-Delay", "10s"));
        await _service.DeliverDueAsync();
        Assert.Single(_flow.Deliveries);

        _service.Time.Advance(TimeSpan.FromSeconds(11));
        await _service.DeliverDueAsync();

        Assert.Equal(["p", WorkflowEndpoint.Step(1, "slept")], _flow.Deliveries[^1].Entries);
    }

    [Fact]
    public async Task A_limit_is_told_with_412_and_nothing_is_stored()
    {
        await using var service = new TestService(new() { Workflows = new() { MaxSteps = 1 } });
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_a", "p");
        await flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "one"));

        var refused = await flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(2, "two"));

        Assert.Equal((412, "workflow run is too large: a run has at most 1 steps"), (refused.Status, refused.Error));
        Assert.Equal(2, (await service.CallAsync("GET", "/v2/workflows/runs/wfr_a")).Json.AsArray().Count);
        Assert.Equal(412, (await flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(3, "x"), ("Upstash-Retries", "1000000"))).Status);
    }

    [Fact]
    public async Task A_trigger_of_an_id_that_is_taken_starts_nothing()
    {
        await _flow.StartAsync("wfr_a", "first");
        var again = await _flow.TriggerAsync("wfr_a", "second");
        await _service.DeliverDueAsync();

        Assert.Equal(202, again.Status);
        Assert.True((bool)again.Json["deduplicated"]!);
        Assert.Single(_flow.Deliveries);

        await _flow.FinishAsync("wfr_a", "");
        _service.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal(200, (await _flow.TriggerAsync("wfr_a", "third")).Status);
        await _service.DeliverDueAsync();
        Assert.Equal(["third"], _flow.Deliveries[^1].Entries);
    }

    [Fact]
    public async Task A_run_without_an_SDK_is_triggered_with_what_the_SDK_would_say()
    {
        var one = await _service.CallAsync("POST", "/v2/trigger/" + _flow.Url, "p", null, ("Upstash-Workflow-RunId", "wfr_a"));
        var many = await _service.CallAsync(
            "POST", "/v2/batch/trigger", $$"""[{"destination":"{{_flow.Url}}","body":"q"},{"destination":"{{_flow.Url}}","body":"r"}]""");
        await _service.DeliverDueAsync();

        Assert.Equal((200, "wfr_a", _service.Now), (one.Status, (string)one.Json["workflowRunId"]!, (long)one.Json["workflowCreatedAt"]!));
        Assert.Equal((201, 2), (many.Status, many.Json.AsArray().Count));
        Assert.Equal(["p", "q", "r"], _flow.Deliveries.Select(delivery => Assert.Single(delivery.Entries)).Order());
        Assert.All(_flow.Deliveries, delivery => Assert.Equal("1", delivery.Headers["Upstash-Workflow-Sdk-Version"]));
        Assert.Equal("RUN_STARTED", (string)(await _flow.LogAsync("wfr_a"))["workflowState"]!);
    }

    [Fact]
    public async Task Runs_are_cancelled_one_or_many_and_their_messages_go_along()
    {
        foreach (var id in new[] { "wfr_a", "wfr_b", "wfr_c", "wfr_d" })
            await _flow.TriggerAsync(id, id, ("Upstash-Delay", "1h"), ("Upstash-Label", id == "wfr_d" ? "other" : "l"));

        var one = await _service.CallAsync("DELETE", "/v2/workflows/runs/wfr_a");
        var labelled = await _service.CallAsync("DELETE", "/v2/workflows/runs?label=l");
        var again = await _service.CallAsync("DELETE", "/v2/workflows/runs?label=l");
        var unknown = await _service.CallAsync("DELETE", "/v2/workflows/runs/wfr_unknown");
        _service.Time.Advance(TimeSpan.FromHours(2));
        await _service.DeliverDueAsync();

        Assert.Equal((200, 404), (one.Status, unknown.Status));
        Assert.Equal((2, 0), ((int)labelled.Json["cancelled"]!, (int)again.Json["cancelled"]!));
        Assert.Equal(["wfr_d"], Assert.Single(_flow.Deliveries).Entries);
        Assert.Equal("RUN_CANCELED", (string)(await _flow.LogAsync("wfr_b"))["workflowState"]!);
    }

    [Fact]
    public async Task Runs_are_listed_as_groups_of_steps_or_as_events_and_by_filters()
    {
        await _flow.StartAsync("wfr_a", "p", ("Upstash-Label", "l"));
        await _flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "one"));
        await _flow.StartAsync("wfr_b", "p");
        await _service.DeliverDueAsync();

        var runs = (await _service.CallAsync("GET", "/v2/workflows/logs?count=1")).Json;
        var rest = (await _service.CallAsync("GET", $"/v2/workflows/logs?cursor={runs["cursor"]}")).Json;
        var events = (await _service.CallAsync("GET", "/v2/workflows/events?label=l")).Json["events"]!.AsArray();
        var grouped = (await _service.CallAsync("GET", "/v2/workflows/events?groupBy=workflowRunId&label=l")).Json["runs"]!.AsArray();
        var messages = (await _service.CallAsync("GET", "/v2/events?workflowRunId=wfr_a&state=CREATED")).Json["events"]!.AsArray();
        var others = (await _service.CallAsync("GET", $"/v2/events?workflowCreatedAt={_service.Now + 1}")).Json["events"]!.AsArray();

        Assert.Equal(["wfr_a", "wfr_b"], runs["runs"]!.AsArray().Concat(rest["runs"]!.AsArray()).Select(run => (string)run!["workflowRunId"]!).Order());
        Assert.Null(rest["cursor"]);
        Assert.Equal(["RUN_STARTED", "STEP_SUCCESS", "STEP_SUCCESS"], events.Select(e => (string)e!["state"]!).Order(StringComparer.Ordinal));
        Assert.Equal("one", (string)Assert.Single(grouped)!["steps"]![1]!["steps"]![0]!["out"]!);
        Assert.Equal(2, messages.Count);
        Assert.Empty(others);
        Assert.Equal(400, (await _service.CallAsync("GET", "/v2/workflows/logs?state=nonsense")).Status);
    }

    [Fact]
    public async Task A_bulk_cancel_of_messages_leaves_those_of_runs_alone_and_cancelling_one_ends_its_run()
    {
        await _flow.TriggerAsync("wfr_a", "p", ("Upstash-Delay", "1h"));
        var message = (string)(await _flow.TriggerAsync("wfr_b", "p", ("Upstash-Delay", "1h"))).Json["messageId"]!;

        var all = await _service.CallAsync("DELETE", "/v2/messages?workflowRunId=wfr_a");
        var then = await _service.CallAsync("DELETE", $"/v2/messages?workflowCreatedAt={_service.Now}");
        var one = await _service.CallAsync("DELETE", "/v2/messages/" + message);

        Assert.Equal((0, 0, 1), ((int)all.Json["cancelled"]!, (int)then.Json["cancelled"]!, (int)one.Json["cancelled"]!));
        Assert.Equal("RUN_STARTED", (string)(await _flow.LogAsync("wfr_a"))["workflowState"]!);
        Assert.Equal("RUN_CANCELED", (string)(await _flow.LogAsync("wfr_b"))["workflowState"]!);
    }
}
