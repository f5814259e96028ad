using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;

namespace FuncStash.Workflows;

/// <summary>Tells the failure function of a run that it has failed, and keeps how that went (protocol#failure-functions).</summary>
internal sealed class FailureDelivery(RunStore runs, StoredMessage stored, MessageStore messages, FuncStashOptions options) : RunDelivery
{
    private const int KeptBytes = 64 * 1024, KeptHeaderBytes = 16 * 1024;

    public override int ResponseBytes => options.MaxBodyBytes;

    private MessageId Key => stored.Message.Run!.Run;

    public override async ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation)
    {
        if (await runs.GetAsync(Key, cancellation) is not { } run)
            return null;
        var message = stored.Message with { Header = DeliveredHeaders.Of(run, stored.Message, isFirst: false) };
        return (message, await messages.BodyAsync(stored.Message, cancellation));
    }

    public override ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation) => new(verdict);

    public override async ValueTask<Transition> SettleAsync(StoredMessage before, AttemptOutcome outcome, Verdict verdict, Transition step)
    {
        if (verdict is Verdict.Retry || await runs.GetAsync(Key) is not { } now
            || now.Progress.Failure is not { State: FailureState.InProgress } failure || failure.MessageId != before.Id.Text)
            return step;
        var response = (outcome as AttemptOutcome.Response)?.Kept(KeptBytes, KeptHeaderBytes);
        var after = failure with
        {
            State = verdict is Verdict.Delivered ? FailureState.Success : FailureState.Fail,
            ResponseStatus = outcome.Status,
            ResponseHeader = response?.Header,
            ResponseBody = response?.Body,
        };
        var change = new RunChange(now with { Progress = now.Progress with { Failure = after } });
        return step with { With = RunStore.WritesOf(now, change) };
    }

    public override ValueTask SettledAsync() => ValueTask.CompletedTask;
}

/// <summary>What the service itself fails at: nothing is sent, and the run fails with it.</summary>
internal sealed class FailedDelivery(StoredMessage stored, RunFailures failures, RunDebts debts, bool hasFunction) : RunDelivery
{
    private MessageId Key => stored.Message.Run!.Run;

    public override int ResponseBytes => 0;

    public override ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation) => default;

    public override ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation) => new(verdict);

    public override async ValueTask<Transition> SettleAsync(StoredMessage before, AttemptOutcome outcome, Verdict verdict, Transition step)
    {
        var report = new Report(before.Message, outcome, before.Progress.Retried, (outcome as AttemptOutcome.NoResponse)?.Error);
        return await failures.FailingAsync(Key, report, step, hasFunction) ?? step;
    }

    public override ValueTask SettledAsync() => debts.SettleAsync(Key, CancellationToken.None);
}
