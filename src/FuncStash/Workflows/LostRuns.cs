using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Storage;

namespace FuncStash.Workflows;

/// <summary>Ends runs that nothing brings on any more: an endpoint answered and submitted nothing, or what it was waiting for is gone.</summary>
/// <remarks>Such a run fails, as one of which a delivery failed: whoever invoked it is told, and it can be resumed.</remarks>
public sealed class LostRuns(
    IStore store, RunStore runs, MessageStore messages, RunDebts debts, RunFailures failures, RunInvocations invocations, TimeProvider time)
{
    private const string Reason = "nothing is left that could bring the run on: a delivery was answered, and no step came of it";

    /// <summary>Ends a run if nothing brings it on, and nothing has come of it for long.</summary>
    /// <param name="key">The run.</param>
    /// <param name="oldest">What came before this is long ago; unix milliseconds.</param>
    /// <param name="stop">Stops the work.</param>
    public async ValueTask EndAsync(MessageId key, long oldest, CancellationToken stop = default)
    {
        if (await HasMessagesAsync(key, stop))
            return;
        // What is owed brings it on, as it does in a run that was cut off while it was begun.
        await TrySettleAsync(key, stop);
        // In this order: what comes in between changes the run's row, and it is not ended.
        if (await runs.LiveAsync(key, stop) is not { } run || await HasMessagesAsync(key, stop))
            return;
        var steps = new List<RunStep>();
        await foreach (var step in runs.StepsAsync(key, stop))
            steps.Add(step with { Body = [] });
        if (steps.Exists(step => Math.Max(step.At, step.DueAt ?? 0) >= oldest) || MayBeNotified(run, steps) || await invocations.IsUnderWayAsync(run, steps, stop))
            return;
        if (await failures.FailAsync(run, Reason, stop))
            await debts.SettleAsync(key, stop);
    }

    // One that was set aside, because nobody could read it, is none.
    private async ValueTask<bool> HasMessagesAsync(MessageId key, CancellationToken stop)
    {
        foreach (var id in await messages.OfRunAsync(key, stop))
        {
            if (await messages.LookAsync(id, stop) is { Ended: false })
                return true;
        }
        return false;
    }

    // What cannot be settled brings nothing on.
    private async ValueTask TrySettleAsync(MessageId key, CancellationToken stop)
    {
        try
        {
            await debts.SettleAsync(key, stop);
        }
        catch (Exception error) when (!stop.IsCancellationRequested && !store.IsFault(error))
        {
        }
    }

    // An event may still come; that none came, nothing is left to tell.
    private bool MayBeNotified(Run run, List<RunStep> steps)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return run.Progress.Waits.Any(wait => steps.Exists(
            step => step.Key == new StepKey(wait.Step, StepKind.Wait) && step.Detail?.Deadline > now));
    }
}
