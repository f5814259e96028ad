using FuncStash.Admission;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Telemetry;
using FuncStash.Waiting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>Finds places that a dead worker left taken, and gates that nobody uses any more.</summary>
/// <remarks>
/// A second line of defence: places are given back with the step that took them, or when that step is done again. A
/// message inside is sent on its way again only when the work queue has been worked through since its place was last
/// heard of (<see cref="QueueProbe"/>): in a backlog it would lose its turn. Where that is not known, a probe is sent, and
/// the next run sees.
/// </remarks>
public sealed partial class GateSweep(
    Gates gates, AdmissionService admission, MessageStore messages, DestinationLanes lanes, QueueProbe probe, IStore store, FuncStashOptions options,
    TimeProvider time, ILogger<GateSweep> log)
{
    /// <summary>How long an unused flow-control key is remembered.</summary>
    public static readonly TimeSpan KeyLife = TimeSpan.FromHours(1);

    // Longer than a place that was lost waits to be found.
    private const long FarMs = 15 * 60_000;

    public async Task RunAsync(CancellationToken cancellation = default)
    {
        var through = await probe.SettledAsync(cancellation);
        var isUncertain = false;
        foreach (var kind in new[] { GateKind.Queue, GateKind.FlowKey })
        {
            await foreach (var (name, state) in gates.NamedAsync(kind, cancellation: cancellation))
                isUncertain |= await TrySweepAsync(kind, name, state, through, cancellation);
        }
        if (isUncertain)
            await probe.SendAsync(cancellation);
    }

    // What is wrong with one gate is no reason to leave the others.
    private async Task<bool> TrySweepAsync(GateKind kind, string name, GateState? state, long? through, CancellationToken cancellation)
    {
        try
        {
            if (state is not null)
                return await SweepAsync(kind, name, state, through, cancellation);
            await gates.RemoveAsync(kind, name, _ => false, cancellation);
        }
        catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
        {
            LogFailed(log, error, name);
        }
        return false;
    }

    private async Task<bool> SweepAsync(GateKind kind, string name, GateState state, long? through, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var isUncertain = false;
        foreach (var slot in state.Inside)
        {
            if (slot.Until < now)
                isUncertain |= !await CheckAsync(kind, name, slot, now, through >= slot.Until, cancellation);
            // So long no place is taken for granted: the clock that said so was ahead.
            else if (slot.Until > now + PatienceMs + Clocks.SkewMs)
                await ExtendAsync(slot, now + PatienceMs);
        }
        if (state.Waiting > 0)
            await gates.WakeAsync(kind, name);
        else if (kind == GateKind.FlowKey && IsIdle(state, now))
            await gates.RemoveAsync(kind, name, found => IsIdle(found, now), cancellation);
        return isUncertain;

        Task ExtendAsync(GateSlot slot, long until) =>
            gates.RunAsync(kind, name, new GateOperation.Change(s => GateRules.Extend(s, slot, until), creates: false));
    }

    /// <returns>False when a message may be lost, or still be in the work queue: <paramref name="isThrough"/> tells which.</returns>
    private async Task<bool> CheckAsync(
        GateKind kind, string name, GateSlot slot, long now, bool isThrough, CancellationToken cancellation)
    {
        var (until, isCertain) = (now + PatienceMs, true);
        foreach (var holder in slot.HeldBy())
        {
            var stored = await TryGetAsync(MessageId.Parse(holder), cancellation);
            if (kind == GateKind.Queue && stored is null or { Ended: true })
            {
                await admission.HandOverAsync(name, slot.Message, holder, stored?.Followers ?? []);
                continue;
            }
            // Its request may be on its way, and is counted until its response has come or can come no more.
            if (stored?.Progress is { State: MessageState.Canceled, EndedAt: { } endedAt } && endedAt + PatienceMs > now)
            {
                until = Math.Min(until, endedAt + PatienceMs);
                continue;
            }
            if (stored is null or { Ended: true } || (kind == GateKind.FlowKey && stored.Progress.Retried > slot.Attempt))
            {
                await gates.PassAsync(kind, name, slot.Message, slot.Attempt, holder, []);
                continue;
            }
            // Not due, just due, or being attempted; else its work-queue message was lost, or its worker died.
            var expected = stored.Progress is { State: MessageState.Active, ActiveSince: { } since }
                ? since + PatienceMs
                : stored.Progress.DueAt + GateContext.AnnouncedMs;
            if (expected > now)
                until = Math.Min(until, expected);
            // By a clock that is far behind it may have been let in just now: it counts from this look on.
            else if (slot.Until < now - FarMs && !slot.IsLookedAt)
                (until, isCertain) = (now, false);
            else if (!isThrough)
                return false;
            // One that a full lane sent back to the work queue comes again; another waits at its key, which sees to it.
            else if (!lanes.IsFull(stored.Message.Url) && !(kind == GateKind.Queue && await admission.IsAtItsKeyAsync(stored, cancellation))
                && await messages.RestartAsync(stored, cancellation))
                Metrics.Recovered();
        }
        await gates.RunAsync(kind, name, new GateOperation.Change(s => GateRules.Extend(s, slot, until, isLookedAt: !isCertain), creates: false));
        return isCertain;
    }

    // One that nobody can read holds no place: others wait for it.
    private async ValueTask<StoredMessage?> TryGetAsync(MessageId id, CancellationToken cancellation)
    {
        try
        {
            return await messages.GetAsync(id, cancellation);
        }
        catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
        {
            LogUnreadable(log, error, id.Text);
            return null;
        }
    }

    private static bool IsIdle(GateState state, long now) =>
        state is { Inside.Count: 0, Paused: false, PinnedParallelism: false, PinnedRate: false }
        && now >= state.PeriodEnd && now - Math.Max(state.UpdatedAt, state.PeriodStart) > KeyLife.TotalMilliseconds;

    // Longer than any attempt.
    private long PatienceMs => (long)(options.MaxTimeout + TimeSpan.FromMinutes(5)).TotalMilliseconds;

    [LoggerMessage(Level = LogLevel.Error, Message = "gate {Gate} cannot be looked after")]
    private static partial void LogFailed(ILogger log, Exception error, string gate);

    [LoggerMessage(Level = LogLevel.Error, Message = "message {Message} cannot be read and loses its place")]
    private static partial void LogUnreadable(ILogger log, Exception error, string message);
}
