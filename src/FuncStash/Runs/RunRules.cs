using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Runs;

/// <summary>The decisions of a run: pure functions of its state.</summary>
/// <remarks>
/// What a run refuses to whom it is over it refuses with 400, which the SDK takes for the end of its work; what it refuses
/// because of a limit with 412, which the SDK turns into the failure of the run (protocol#workflow-errors).
/// </remarks>
public static class RunRules
{
    /// <summary>Events that may wait for one run.</summary>
    public const int MaxEvents = 1000;

    /// <summary>What a run says to submissions once it is over: the text of QStash, letter by letter.</summary>
    public static QStashException Over() => QStashException.BadRequest("can not append to a a cancelled workflow");

    /// <summary>What is told of a run that is not there.</summary>
    public static QStashException NotFound(string runId) => QStashException.NotFound($"workflow run {runId} not found");

    /// <summary>
    /// What a run under way is told about a submission that means nothing: never 400, which would say that the run is over.
    /// </summary>
    public static QStashException Refused(QStashException refusal) => refusal.Status == 412 ? refusal : new(412, refusal.Message);

    /// <summary>Takes in submissions, in order. Those that are not delayed get their places in the history.</summary>
    /// <exception cref="QStashException">400 when the run is over, 412 when it would become too large.</exception>
    public static RunChange Append(Run run, IReadOnlyList<Submission> items, WorkflowLimits limits)
    {
        if (run.Ended)
            throw Over();
        var progress = run.Progress;
        var added = new List<RunStep>(items.Count);
        foreach (var item in items)
        {
            var step = item.Step;
            var hasPlace = !item.IsDelayed && (step.Key.Kind is StepKind.Result or StepKind.Plan or StepKind.Call or StepKind.Other);
            added.Add(hasPlace ? step with { Position = progress.Entries } : item.IsDelayed ? step with { DueAt = item.Message!.NotBefore } : step);
            progress = Count(progress, step, limits) with
            {
                Entries = progress.Entries + (added[^1].Position is null ? 0 : 1),
                Open = progress.Open + (item.IsDelayed || step.Key.Kind is StepKind.Call or StepKind.Invoke ? 1 : item.Closes ? -1 : 0),
                HookBase = item.HookBase ?? progress.HookBase,
            };
        }
        return new RunChange(run with { Progress = progress })
        {
            Added = added,
            Messages = [.. items.Select(item => item.Message).OfType<Message>()],
            Debts = [.. items.Where(item => item.Step.Key.Kind == StepKind.Invoke).Select(item => new Debt(DebtKind.Invoke, item.Step.Key.Id))],
        };
    }

    /// <summary>Gives an entry that was delayed its place, now that it is due.</summary>
    public static RunChange Join(Run run, RunStep step)
    {
        var progress = run.Progress;
        var joined = step with { Position = progress.Entries };
        return new RunChange(run with { Progress = progress with { Entries = progress.Entries + 1, Open = progress.Open - 1 } })
        {
            Changed = [joined],
        };
    }

    /// <summary>Lets a step wait for an event.</summary>
    /// <param name="run">The run.</param>
    /// <param name="wait">The entry of the wait.</param>
    /// <param name="message">The message that ends the wait when nothing else does.</param>
    /// <param name="limits">How large the run may become.</param>
    /// <exception cref="QStashException">400 when the run is over, 412 when it would become too large.</exception>
    public static RunChange Wait(Run run, RunStep wait, Message message, WorkflowLimits limits)
    {
        if (run.Ended)
            throw Over();
        var progress = Count(run.Progress, wait, limits);
        return new RunChange(run with
        {
            Progress = progress with { Waits = [.. progress.Waits, new OpenWait(wait.Detail!.Event!, wait.Key.Id)] },
        })
        {
            Added = [wait],
            Messages = [message],
        };
    }

    /// <summary>Lets a step take an event that came before it.</summary>
    /// <param name="run">The run.</param>
    /// <param name="wait">The entry of the wait.</param>
    /// <param name="result">The entry with the event in it.</param>
    /// <param name="message">The message that brings the event to the endpoint.</param>
    /// <param name="kept">The event.</param>
    public static RunChange Take(Run run, RunStep wait, RunStep result, Message message, KeptEvent kept)
    {
        var (progress, taken) = (run.Progress, kept.Event);
        return new RunChange(run with
        {
            Progress = progress with
            {
                Entries = progress.Entries + 1,
                Steps = progress.Steps + 1,
                Events = [.. progress.Events.Where(e => e.Number != taken.Number)],
            },
        })
        {
            Added = [wait, result with { Position = progress.Entries }],
            Messages = [message],
            Taken = taken,
            Debts = kept.BodyName is { } name ? [Debt.OfBody(name)] : [],
        };
    }

    /// <summary>Ends a wait: by an event, or because its time has run out.</summary>
    /// <exception cref="QStashException">412 when the run would become too large.</exception>
    public static RunChange Resolve(Run run, OpenWait wait, RunStep result, WorkflowLimits limits)
    {
        var progress = Count(run.Progress, result, limits);
        return new RunChange(run with
        {
            Progress = progress with
            {
                Entries = progress.Entries + 1,
                Waits = [.. progress.Waits.Where(other => other != wait)],
            },
        })
        {
            Added = [result with { Position = progress.Entries }],
        };
    }

    /// <summary>Keeps an event for a wait to come.</summary>
    /// <exception cref="QStashException">400 when the run is over, 412 when too much waits for it already.</exception>
    public static RunChange Keep(Run run, string name, byte[] data, WorkflowLimits limits)
    {
        if (run.Ended)
            throw Over();
        var progress = run.Progress;
        if (progress.Events.Count >= MaxEvents)
            throw TooLarge($"{MaxEvents} events wait for it already");
        var kept = new StoredEvent(name, progress.EventCount, data.Length);
        var bytes = progress.Bytes + data.Length;
        CheckBytes(bytes, limits);
        return new RunChange(run with
        {
            Progress = progress with { Bytes = bytes, EventCount = progress.EventCount + 1, Events = [.. progress.Events, kept] },
        })
        {
            Kept = new KeptEvent(kept, data),
        };
    }

    /// <summary>Begins the run anew with what the SDK at its endpoint made of the trigger.</summary>
    /// <param name="run">The run.</param>
    /// <param name="spec">What it was triggered with.</param>
    /// <param name="before">The entry of its payload until now.</param>
    /// <param name="initial">The new one.</param>
    /// <param name="message">The message that brings it to the endpoint.</param>
    public static RunChange Replace(Run run, RunSpec spec, RunStep before, RunStep initial, Message message)
    {
        var progress = run.Progress with { Replaced = true };
        return new RunChange(run with { Spec = spec, SpecBytes = null, Progress = progress })
        {
            Changed = [initial with { Position = 0 }],
            Messages = [message],
            Debts = before.BodyName is { } name ? [Debt.OfBody(name)] : [],
        };
    }

    /// <summary>Ends a run that has come to its end.</summary>
    public static RunChange Finish(Run run, byte[]? result, string? resultName, long now)
    {
        var after = Ended(run, RunState.Success, now);
        var isQuiet = run.Progress is { Open: <= 0, Waits.Count: 0 };
        return after with
        {
            After = after.After with { Progress = after.After.Progress with { Result = result, ResultName = resultName } },
            Debts = isQuiet ? after.Debts : [DropOf(run), .. after.Debts],
        };
    }

    public static RunChange Cancel(Run run, long now)
    {
        var after = Ended(run, RunState.Canceled, now);
        return after with { Debts = [DropOf(run), .. after.Debts] };
    }

    /// <summary>Ends a run that has failed.</summary>
    /// <param name="run">The run.</param>
    /// <param name="message">The delivery that failed for good; null when none did.</param>
    /// <param name="error">Why, where no delivery failed.</param>
    /// <param name="dlqId">The id of the dead letter.</param>
    /// <param name="failure">The call of the failure function; null for none.</param>
    /// <param name="now">Unix milliseconds.</param>
    public static RunChange Fail(Run run, string? message, string? error, string dlqId, FailureFunction? failure, long now)
    {
        var after = Ended(run, RunState.Failed, now);
        var progress = after.After.Progress with { FailedMessage = message, Error = error, DlqId = dlqId, Failure = failure };
        return after with
        {
            After = after.After with { Progress = progress },
            Debts = [DropOf(run), new Debt(DebtKind.Letter), .. after.Debts],
        };
    }

    private static RunChange Ended(Run run, RunState state, long now) =>
        new(run with { Progress = run.Progress with { State = state, EndedAt = now, Waits = [], Events = [] } })
        {
            Debts = run.Spec.Invoker is null ? [] : [new Debt(DebtKind.Answer)],
        };

    private static Debt DropOf(Run run) => new(DebtKind.Drop, Waits: run.Progress.Waits);

    private static RunProgress Count(RunProgress progress, RunStep step, WorkflowLimits limits)
    {
        var isStep = (step.Key.Kind is StepKind.Result or StepKind.Other) && step.Key != StepKey.Initial;
        var (steps, bytes) = (progress.Steps + (isStep ? 1 : 0), progress.Bytes + step.Size);
        if (steps > limits.MaxSteps)
            throw TooLarge($"a run has at most {limits.MaxSteps} steps");
        if (step.Concurrent > limits.MaxParallelSteps)
            throw TooLarge($"{step.Concurrent} steps side by side: at most {limits.MaxParallelSteps}");
        CheckBytes(bytes, limits);
        return progress with { Steps = steps, Bytes = bytes };
    }

    private static void CheckBytes(long bytes, WorkflowLimits limits)
    {
        if (bytes > limits.MaxHistoryBytes)
            throw TooLarge($"its history would have {bytes} bytes: at most {limits.MaxHistoryBytes}");
    }

    internal static QStashException TooLarge(string reason) => new(412, $"workflow run is too large: {reason}");
}
