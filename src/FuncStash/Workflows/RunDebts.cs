using System.Runtime.ExceptionServices;
using System.Text;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Settles what runs owe to others. Doing it twice, or by two at the same time, does it once.</summary>
public sealed class RunDebts(
    RunStore runs, MessageStore messages, Cancellation cancellation, WaiterIndex waiters, IStore store, DeadLetterStore letters,
    RunInvocations invocations, RunContinuation continuation, TimeProvider time)
{
    /// <summary>Settles all that a run owes; what fails is no reason to leave the rest.</summary>
    public async ValueTask SettleAsync(MessageId key, CancellationToken stop = default)
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var debt in await runs.DebtsAsync(key, stop))
        {
            try
            {
                if (await runs.GetAsync(key, stop) is { } run)
                    await SettleAsync(run, debt, stop);
                await runs.SettledAsync(key, debt, stop);
            }
            catch (Exception error) when (!stop.IsCancellationRequested)
            {
                failure ??= ExceptionDispatchInfo.Capture(error);
            }
        }
        failure?.Throw();
    }

    private ValueTask SettleAsync(Run run, Debt debt, CancellationToken stop) => debt.Kind switch
    {
        DebtKind.Drop => DropAsync(run, debt, stop),
        DebtKind.Letter => WriteLetterAsync(run, stop),
        DebtKind.Answer => invocations.AnswerAsync(run, stop),
        DebtKind.Invoke => invocations.StartAsync(run, debt.Step, stop),
        DebtKind.Deliver => continuation.DeliverAsync(run, debt, stop),
        DebtKind.Body => runs.RemoveBodyAsync(debt.BodyName!, stop),
        _ => ValueTask.CompletedTask,
    };

    private async ValueTask DropAsync(Run run, Debt debt, CancellationToken stop)
    {
        foreach (var id in await messages.OfRunAsync(run.Key, stop))
        {
            if (await messages.GetAsync(id, stop) is { } stored && IsDropped(run, stored))
                await cancellation.CancelAsync(id, stop);
        }
        foreach (var wait in debt.Waits ?? [])
            await waiters.RemoveAsync(wait.Event, run.Key, wait.Step, stop);
    }

    // The delivery that came to the end is still in flight, and is answered as any other.
    private bool IsDropped(Run run, StoredMessage stored) =>
        stored.Message.Run!.Role != RunRole.Failure
        && (run.Progress.State != RunState.Success || stored.Progress.DueAt > time.GetUtcNow().ToUnixTimeMilliseconds());

    private async ValueTask WriteLetterAsync(Run run, CancellationToken stop)
    {
        var id = DlqId.Parse(run.Progress.DlqId!);
        if (run.Progress.IsLetterGone || await letters.GetAsync(id, stop) is not null)
            return;
        var report = await ReportAsync(run, stop);
        // What it carried is the run's affair: its history.
        var message = report.Message with { Body = [], BodyName = null };
        var letter = DeadLetter.Of(id, message, report.Outcome, report.Error ?? "");
        await store.Tables.CommitAsync((await letters.AddingAsync(letter, [], stop)).Commit, stop);
    }

    private async ValueTask<Report> ReportAsync(Run run, CancellationToken stop)
    {
        if (run.Progress.FailedMessage is not { } failed)
            return RunFailures.ReportOf(run, run.Progress.Error ?? "");
        if (await messages.GetAsync(MessageId.Parse(failed), stop) is not { } stored)
            return RunFailures.ReportOf(run, "the delivery that failed is no longer kept");
        var (outcome, error) = await messages.LastOutcomeAsync(stored, stop);
        return new Report(stored.Message, outcome, stored.Progress.Retried, error);
    }
}
