using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Telemetry;

namespace FuncStash.Waiting;

/// <summary>
/// Settles messages of which nobody knows whether a ticket of theirs is on its way: whoever had it in hand may have died before it
/// was sent, or its step may not have been stored.
/// </summary>
/// <remarks>
/// To send it again could deliver twice. But one that is not due can be sent on its way under a new ticket, which makes the other
/// stale before anybody acts on it; and one that is due, once the work queue has been worked through since (<see cref="QueueProbe"/>)
/// and it still stands as it was. What a gate sends on its way may come later than that, and is left to the gate.
/// </remarks>
public sealed class TicketsInDoubt(
    IStore store, MessageStore messages, AdmissionService admission, QueueProbe probe, TimeProvider time)
{
    /// <summary>After this it can be told of a message that is due, unless the work queue has a backlog.</summary>
    public static readonly TimeSpan Pause = 2 * QueueProbe.Settle;

    /// <returns>False when it cannot be told yet: to be asked again after <see cref="ProbeAsync"/> and <see cref="Pause"/>.</returns>
    public async ValueTask<bool> TrySettleAsync(StoredMessage stored, CancellationToken cancellation = default)
    {
        // Whoever makes the attempt is at it, or has died: that is another's affair.
        if (stored.Ended || stored.Progress.State == MessageState.Active)
            return true;
        var (due, now) = (stored.Progress.DueAt, Now);
        if (due <= now && await IsSentByGateAsync(stored, cancellation))
            return true;
        if (due <= now + Clocks.SkewMs && !(await probe.SettledAsync(cancellation) >= due + Clocks.SkewMs))
            return false;
        if (await messages.RestartAsync(stored, cancellation))
            Metrics.Recovered();
        return true;
    }

    public ValueTask ProbeAsync(CancellationToken cancellation = default) => probe.SendAsync(cancellation);

    /// <summary>Sends a message on its way again that may not have been, unless somebody has acted for it since.</summary>
    /// <returns>When to look again, in unix milliseconds, where it has just come due: it may be under way and not have noted so yet. Else null.</returns>
    public async ValueTask<long?> LookAgainAsync(WorkItem.Recover lost, CancellationToken cancellation = default)
    {
        if (await messages.GetAsync(lost.Id, cancellation) is not { Progress.State: MessageState.Created or MessageState.Retry } stored
            || stored.ETag != lost.Version)
            return null;
        var (due, now) = (stored.Progress.DueAt, Now);
        var later = due + (long)WorkItem.Recover.After.TotalMilliseconds;
        if (due <= now + Clocks.SkewMs && now < later)
            return later;
        await messages.RestartAsync(stored, cancellation);
        return null;
    }

    // Not by one that nobody can read: sent on its way it fails, and is counted for it.
    private async ValueTask<bool> IsSentByGateAsync(StoredMessage stored, CancellationToken cancellation)
    {
        try
        {
            return await admission.IsSentByGateAsync(stored, cancellation);
        }
        catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
        {
            return false;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
