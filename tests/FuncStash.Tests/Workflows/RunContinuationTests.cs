using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Workflows;

/// <summary>How runs that failed go on: late, delayed, with other settings (protocol#run-dead-letters).</summary>
public sealed class RunContinuationTests : IAsyncLifetime
{
    private readonly TestService _service = new();
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync() => _flow = await WorkflowEndpoint.StartAsync(_service);

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData("resume", "Upstash-Delay", "1h")]
    [InlineData("restart", "Upstash-Delay", "1h")]
    [InlineData("resume", "Upstash-Not-Before", null)]
    [InlineData("restart", "Upstash-Not-Before", null)]
    public async Task It_goes_on_when_it_is_asked_to(string how, string name, string? value)
    {
        var id = await FailAsync("wfr_a");
        _flow.Status = 200;
        var before = _flow.Deliveries.Count;
        value ??= FormattableString.Invariant($"{(_service.Now / 1000) + 3600}");

        var started = await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}/{id}", "", null, (name, value));
        await _service.DeliverDueAsync();
        Assert.Equal((200, before), (started.Status, _flow.Deliveries.Count));
        _service.Time.Advance(TimeSpan.FromMinutes(59));
        await _service.DeliverDueAsync();
        Assert.Equal(before, _flow.Deliveries.Count);
        _service.Time.Advance(TimeSpan.FromMinutes(2));
        await _service.DeliverDueAsync();

        Assert.Equal(before + 1, _flow.Deliveries.Count);
        Assert.Equal(how == "resume" ? ["p", WorkflowEndpoint.Step(1, "one")] : ["p"], _flow.Deliveries[^1].Entries);
        var run = (string)started.Json["workflowRunId"]!;
        Assert.Equal(200, (await _flow.SubmitAsync(run, WorkflowEndpoint.Step(2, "two"))).Status);
        Assert.Equal(200, (await _flow.FinishAsync(run, "")).Status);
    }

    [Theory]
    [InlineData("resume")]
    [InlineData("restart")]
    public async Task What_cannot_be_is_refused_and_the_letter_stays(string how)
    {
        var id = await FailAsync("wfr_a");
        foreach (var (name, value) in new[]
        {
            ("Upstash-Delay", "400d"), ("Upstash-Not-Before", "4102444800"), ("Upstash-Not-Before", "99999999999"), ("Upstash-Not-Before", "x"), ("Upstash-Cron", "* * * * *"),
            ("Upstash-Failure-Callback", "no url"), ("Upstash-Failure-Callback", "http://192.0.2.1:0/"), ("Upstash-Retries", "1000000"),
        })
        {
            Assert.Equal((name, value, 400), (name, value, (await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}/{id}", "", null, (name, value))).Status));
            Assert.Equal(400, (await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}?dlqIds={id}", "", null, (name, value))).Status);
        }
        Assert.Equal(200, (await _service.CallAsync("GET", "/v2/workflows/dlq/" + id)).Status);
        Assert.Equal(200, (await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}/{id}")).Status);
    }

    [Theory]
    [InlineData("resume")]
    [InlineData("restart")]
    public async Task A_letter_that_is_older_than_the_messages_of_its_run_goes_on_all_the_same(string how)
    {
        var id = await FailAsync("wfr_a");
        await PassAsync(days: 12);
        _flow.Status = 200;

        var started = await _service.CallAsync("POST", $"/v2/workflows/dlq/{how}/{id}");
        await _service.DeliverDueAsync();

        Assert.Equal(200, started.Status);
        Assert.Equal(how == "resume" ? ["p", WorkflowEndpoint.Step(1, "one")] : ["p"], _flow.Deliveries[^1].Entries);
        Assert.Equal(200, (await _service.CallAsync("GET", "/v2/workflows/logs?workflowRunId=wfr_a")).Status);
    }

    [Fact]
    public async Task Its_failure_function_is_called_anew_when_the_first_call_is_no_longer_kept()
    {
        var id = await FailAsync(
            "wfr_a", ("Upstash-Failure-Callback", _flow.Url), ("Upstash-Failure-Callback-Feature-Set", "InitialBody"), ("Upstash-Failure-Callback-Retries", "0"),
            ("Upstash-Failure-Callback-Forward-Mine", "m"));
        await _service.DeliverDueAsync();
        var first = JsonNode.Parse(_flow.Deliveries[^1].Body)!;
        await PassAsync(days: 12);
        Assert.Null(await _service.MessageAsync((string)(await _flow.LogAsync("wfr_a"))["failureFunction"]!["messageId"]!));
        _flow.Status = 200;

        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/workflows/dlq/callback/" + id)).Status);
        await _service.DeliverDueAsync();

        var again = JsonNode.Parse(_flow.Deliveries[^1].Body)!;
        foreach (var name in new[] { "workflowRunId", "workflowUrl", "status", "body", "url", "sourceBody", "sourceMessageId", "dlqId" })
            Assert.Equal(first[name]!.ToJsonString(), again[name]!.ToJsonString());
        Assert.Equal("m", _flow.Deliveries[^1].Headers["Mine"]);
        var letter = (await _service.CallAsync("GET", "/v2/workflows/dlq/" + id)).Json;
        Assert.Equal("CALLBACK_SUCCESS", (string)letter["failureFunctionState"]!);
    }

    [Fact]
    public async Task Cancelling_the_message_that_calls_its_failure_function_is_told_by_the_letter()
    {
        var id = await FailAsync("wfr_a", ("Upstash-Failure-Callback", _flow.Url), ("Upstash-Failure-Callback-Delay", "1h"));
        var message = (string)(await _flow.LogAsync("wfr_a"))["failureFunction"]!["messageId"]!;

        var cancelled = await _service.CallAsync("DELETE", "/v2/messages/" + message);

        Assert.Equal((200, 1), (cancelled.Status, (int)cancelled.Json["cancelled"]!));
        Assert.Equal("CALLBACK_CANCELED", (string)(await _service.CallAsync("GET", "/v2/workflows/dlq/" + id)).Json["failureFunctionState"]!);
        Assert.Equal(400, (await _service.CallAsync("DELETE", "/v2/workflows/dlq/callback/" + id)).Status);
    }

    [Fact]
    public async Task A_restart_while_its_new_run_is_cancelled_ends_in_one_of_the_two()
    {
        var id = await FailAsync("wfr_a");
        _flow.Status = 200;
        var started = await _service.CallAsync("POST", "/v2/workflows/dlq/restart/" + id, "", null, ("Upstash-Delay", "1h"));
        var run = (string)started.Json["workflowRunId"]!;

        Assert.Equal(200, (await _service.CallAsync("DELETE", "/v2/workflows/runs/" + run)).Status);
        _service.Time.Advance(TimeSpan.FromHours(2));
        var before = _flow.Deliveries.Count;
        await _service.DeliverDueAsync();

        Assert.Equal(before, _flow.Deliveries.Count);
        Assert.Equal("RUN_CANCELED", (string)(await _flow.LogAsync(run))["workflowState"]!);
        Assert.Empty(await _service.Get<MessageStore>().OfRunAsync((await _service.Get<RunIndex>().FindAsync(run))!.Value));
    }

    private async Task PassAsync(int days)
    {
        for (var day = 0; day < days; day++)
        {
            _service.Time.Advance(TimeSpan.FromDays(1));
            await _service.Get<UpkeepService>().RunAsync();
        }
    }

    private async Task<string> FailAsync(string runId, params (string Name, string Value)[] headers)
    {
        await _flow.StartAsync(runId, "p", [("Upstash-Retries", "0"), .. headers]);
        await _flow.SubmitAsync(runId, WorkflowEndpoint.Step(1, "one"));
        _flow.Status = 500;
        await _service.DeliverDueAsync();
        return (string)(await _flow.LogAsync(runId))["dlqId"]!;
    }
}
