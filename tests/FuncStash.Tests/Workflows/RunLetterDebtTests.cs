using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Storage;
using FuncStash.Workflows;

namespace FuncStash.Tests.Workflows;

/// <summary>A run owes its dead letter once: what was resumed, restarted or deleted does not come back (protocol#run-dead-letters).</summary>
public sealed class RunLetterDebtTests : IAsyncLifetime
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
    [InlineData("POST", "/v2/workflows/dlq/resume/")]
    [InlineData("POST", "/v2/workflows/dlq/restart/")]
    [InlineData("DELETE", "/v2/workflows/dlq/")]
    [InlineData("DELETE", "/v2/workflows/dlq?dlqIds=")]
    [InlineData("DELETE", "/v2/dlq/")]
    [InlineData("DELETE", "/v2/dlq?dlqIds=")]
    public async Task What_was_acted_upon_is_not_written_again_by_who_was_to_write_it(string method, string target)
    {
        var (key, id) = await FailAsync("wfr_a");
        // Whoever wrote the letter died before that was noted.
        await OweAsync(key, new Debt(DebtKind.Letter));

        Assert.Equal(200, (await _service.CallAsync(method, target + id)).Status);
        await _service.Get<RunDebts>().SettleAsync(key);

        await AssertGoneAsync(id);
        Assert.Empty(await _service.Get<RunStore>().DebtsAsync(key));
    }

    [Fact]
    public async Task One_that_somebody_wrote_after_it_was_deleted_is_none()
    {
        var (_, id) = await FailAsync("wfr_a");
        var letter = (await _service.Get<DeadLetterStore>().GetAsync(DlqId.Parse(id)))!;
        await _service.CallAsync("DELETE", "/v2/workflows/dlq/" + id);
        // Held up between the look at the run and the write.
        await _service.AddDeadLetterAsync(letter.Message, id: letter.Id);

        await AssertGoneAsync(id);
    }

    [Fact]
    public async Task One_whose_delivery_is_no_longer_kept_is_written_all_the_same()
    {
        var (key, id) = await FailAsync("wfr_a");
        var run = (await _service.Get<RunStore>().GetAsync(key))!;
        await _service.Get<DeadLetterStore>().RemoveAsync(DlqId.Parse(id));
        await _service.Get<IStore>().Tables.CommitAsync(new Commit(
            MessageRows.Table, MessageRows.Partition(key),
            [new Write.Delete(MessageRows.Key(MessageRows.Ended, MessageId.Parse(run.Progress.FailedMessage!)), null)]));
        await OweAsync(key, new Debt(DebtKind.Letter));

        await _service.Get<RunDebts>().SettleAsync(key);

        var written = await _service.CallAsync("GET", "/v2/workflows/dlq/" + id);
        Assert.Equal((200, "p"), (written.Status, (string)written.Json["body"]!));
        Assert.Contains("no longer kept", (string)written.Json["error"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resumed_twice_at_once_it_makes_one_run()
    {
        var (_, id) = await FailAsync("wfr_a");
        _flow.Status = 200;

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(n =>
            _service.CallAsync("POST", (n % 2 == 0 ? "/v2/workflows/dlq/resume/" : "/v2/workflows/dlq/restart/") + id)));
        await _service.DeliverDueAsync();

        Assert.Single(answers.Where(answer => answer.Status == 200).Select(answer => (string)answer.Json["workflowRunId"]!).Distinct());
        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 404, answer.Text));
        Assert.Equal(2, (await _service.CallAsync("GET", "/v2/workflows/logs")).Json["runs"]!.AsArray().Count);
    }

    private async Task AssertGoneAsync(string id)
    {
        Assert.Empty((await _service.CallAsync("GET", "/v2/workflows/dlq")).Json["messages"]!.AsArray());
        Assert.Empty((await _service.CallAsync("GET", "/v2/workflows/dlq?workflowRunId=wfr_a")).Json["messages"]!.AsArray());
        Assert.Empty((await _service.CallAsync("GET", "/v2/workflows/dlq?dlqIds=" + id)).Json["messages"]!.AsArray());
        Assert.Empty((await _service.CallAsync("GET", "/v2/dlq?dlqIds=" + id)).Json["messages"]!.AsArray());
        foreach (var (method, target) in new[] { ("GET", "/v2/workflows/dlq/"), ("GET", "/v2/dlq/"), ("DELETE", "/v2/workflows/dlq/"), ("POST", "/v2/workflows/dlq/resume/") })
            Assert.Equal((404, $"dlq message {id} not found"), await AskAsync(method, target + id));

        async Task<(int, string)> AskAsync(string method, string target)
        {
            var answer = await _service.CallAsync(method, target);
            return (answer.Status, answer.Error);
        }
    }

    private async Task OweAsync(MessageId key, Debt debt) =>
        await _service.Get<IStore>().Tables.CommitAsync(new Commit(RunRows.Table, RunRows.Partition(key), [new Write.Upsert(RunRows.ToRow(key, debt))]));

    private async Task<(MessageId Key, string Id)> FailAsync(string runId)
    {
        await _flow.StartAsync(runId, "p", ("Upstash-Retries", "0"));
        await _flow.SubmitAsync(runId, WorkflowEndpoint.Step(1, "one"));
        _flow.Status = 500;
        await _service.DeliverDueAsync();
        var key = (await _service.Get<RunIndex>().FindAsync(runId))!.Value;
        return (key, (string)(await _flow.LogAsync(runId))["dlqId"]!);
    }
}
