using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Workflows;

/// <summary>Calls a third party for a step, and reports what came of it once, after the last attempt (protocol#calls-of-a-run).</summary>
internal sealed class CallDelivery(Run run, StoredMessage stored, MessageStore messages, FuncStashOptions options, TimeProvider time) : RunDelivery
{
    private int Most => options.Workflows.MaxPayloadBytes;

    // One more than is kept, so that an answer that is too long is known to be.
    public override int ResponseBytes => Most + 1;

    // Nothing of the run: it is none of the third party's business.
    public override async ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation) =>
        (stored.Message, await messages.BodyAsync(stored.Message, cancellation));

    // The answer is the step's result: half of it is none.
    public override AttemptOutcome Seen(AttemptOutcome outcome) => outcome switch
    {
        AttemptOutcome.Response { Body.Length: var length } when length > Most =>
            new AttemptOutcome.NoResponse($"the answer is too big: at most {Most} bytes are allowed"),
        AttemptOutcome.Response { IsBodyCut: true } => new AttemptOutcome.NoResponse("the answer broke off"),
        _ => outcome,
    };

    public override ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation) => new(verdict);

    public override async ValueTask<Transition> SettleAsync(StoredMessage before, AttemptOutcome outcome, Verdict verdict, Transition step)
    {
        var message = before.Message;
        if (verdict is Verdict.Retry || message.Run!.Callback is not { } callback)
            return step;
        var key = StepKey.Parse(message.Run.Step);
        // The SDK waits for more when not all retries were used up.
        var retried = verdict is Verdict.Failed ? message.MaxRetries : before.Progress.Retried;
        var report = new Report(message, outcome, retried, (outcome as AttemptOutcome.NoResponse)?.Error);
        var body = report.ToBody(run, await messages.BodyAsync(message), dlqId: null);
        var id = run.Key.Follower($"{key}|result", time.GetUtcNow().ToUnixTimeMilliseconds());
        var entry = new RunStep(key with { Kind = StepKind.CallResult }, id.Text, id.CreatedAt) { Size = body.Length };
        return step with
        {
            Followers = [RunReports.OfCall(run, id, callback, key with { Kind = StepKind.CallResult }, body, options)],
            With = [new Write.Upsert(RunRows.ToRow(run.Key, entry))],
        };
    }

    public override ValueTask SettledAsync() => ValueTask.CompletedTask;
}

/// <summary>Brings the outcome of a call to the workflow's endpoint.</summary>
internal sealed class CallResultDelivery(
    RunStore runs, Run run, StoredMessage stored, RunFailures failures, RunDebts debts, MessageStore messages, FuncStashOptions options)
    : EndpointDelivery(run, failures, debts, options)
{
    private StepKey Result => StepKey.Result(StepKey.Parse(stored.Message.Run!.Step).Id);

    public override async ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation) =>
        await IsDoneAsync(cancellation)
            ? null
            : (stored.Message with { Header = DeliveredHeaders.Of(Run, stored.Message, isFirst: false) }, await messages.BodyAsync(stored.Message, cancellation));

    public override async ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation) =>
        verdict is not Verdict.Delivered && await IsDoneAsync(cancellation) ? new Verdict.Delivered() : verdict;

    private async ValueTask<bool> IsDoneAsync(CancellationToken cancellation) =>
        Result.Id > 0 && await runs.StepAsync(Run.Key, Result, cancellation) is not null;
}
