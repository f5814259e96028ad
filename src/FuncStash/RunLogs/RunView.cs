using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Runs;

namespace FuncStash.RunLogs;

/// <summary>How far a step is.</summary>
public enum StepState
{
    Progress,
    Success,
    Retry,
    Failed,
    Canceled,
}

public static class StepStates
{
    public static string Wire(this StepState state) => state switch
    {
        StepState.Progress => "STEP_PROGRESS",
        StepState.Success => "STEP_SUCCESS",
        StepState.Retry => "STEP_RETRY",
        StepState.Failed => "STEP_FAILED",
        StepState.Canceled => "STEP_CANCELED",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };
}

/// <summary>How a delivery of a run went so far.</summary>
/// <param name="Message">The message; null when it is no longer kept.</param>
/// <param name="State">How far it is.</param>
/// <param name="Errors">Its failed attempts, earliest first, without their responses.</param>
public sealed record DeliveryView(StoredMessage? Message, StepState State, IReadOnlyList<LogEvent> Errors);

/// <summary>A run as people look at it: its steps in groups, and how its deliveries are.</summary>
/// <param name="Deliveries">By message id: of those that tell how far a step is, and of the failure function's call.</param>
public sealed record RunView(Run Run, IReadOnlyList<StepGroup> Groups, IReadOnlyDictionary<string, DeliveryView> Deliveries)
{
    /// <summary>How far a step is.</summary>
    public StepState StateOf(StepSlot slot) =>
        slot.Result is not null ? StepState.Success
        : slot.MessageId is { } id && Deliveries.TryGetValue(id, out var delivery) ? delivery.State
        : Run.Ended ? StepState.Canceled
        : StepState.Progress;
}

/// <summary>Makes views of runs.</summary>
public sealed class RunViewer(RunStore runs, MessageStore messages, LogReader log)
{
    private const int MaxErrors = 100;

    public async ValueTask<RunView> ViewAsync(Run run, CancellationToken cancellation = default)
    {
        var steps = await runs.AllStepsAsync(run.Key, cancellation);
        var groups = RunLayout.Of(run, steps);
        var deliveries = new Dictionary<string, DeliveryView>(StringComparer.Ordinal);
        var asked = groups.SelectMany(group => group.Slots).Select(slot => slot.MessageId).OfType<string>().ToList();
        foreach (var id in asked.Append(run.Progress.Failure?.MessageId).OfType<string>().Distinct())
            deliveries[id] = await DeliveryAsync(run, id, cancellation);
        // A delivery that was answered, of which nothing has come yet: nothing is known of what is next.
        if (groups is [.., { Kind: GroupKind.Next, Slots: [{ MessageId: { } next }] }] && deliveries[next] is { State: StepState.Success })
            groups = [.. groups.Take(groups.Count - 1)];
        return new RunView(run, groups, deliveries);
    }

    /// <summary>The deliveries of a run that have not ended.</summary>
    public async ValueTask<IReadOnlyList<StoredMessage>> PendingAsync(Run run, CancellationToken cancellation = default)
    {
        var pending = new List<StoredMessage>();
        foreach (var id in await messages.OfRunAsync(run.Key, cancellation))
        {
            if (await messages.GetAsync(id, cancellation) is { Ended: false } stored)
                pending.Add(stored);
        }
        return pending;
    }

    private async ValueTask<DeliveryView> DeliveryAsync(Run run, string message, CancellationToken cancellation)
    {
        var id = MessageId.Parse(message);
        var stored = await messages.GetAsync(id, cancellation);
        IReadOnlyList<LogEvent> errors = [];
        if (stored?.Progress is { Retried: > 0 } or { State: MessageState.Failed })
        {
            var page = await log.ListAsync(
                new LogQuery { MessageIds = [id], States = [MessageState.Error], Count = MaxErrors, EarliestFirst = true }, cancellation);
            errors = [.. page.Entries.Select(entry => entry.Event)];
        }
        return new DeliveryView(stored, StateOf(run, stored?.Progress.State), errors);
    }

    private static StepState StateOf(Run run, MessageState? state) => state switch
    {
        MessageState.Failed when run.Progress.State != RunState.Success => StepState.Failed,
        MessageState.Delivered when run.Progress.State == RunState.Canceled => StepState.Canceled,
        MessageState.Delivered => StepState.Success,
        _ when run.Ended => StepState.Canceled,
        MessageState.Retry => StepState.Retry,
        MessageState.Active or MessageState.Created => StepState.Progress,
        _ => StepState.Canceled,
    };
}
