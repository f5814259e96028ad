using FuncStash.Messages;

namespace FuncStash.Admission;

/// <summary>Finds places that a dead worker left taken, and gates that nobody uses any more.</summary>
/// <remarks>A second line of defence: places are given back with the step that took them, or when that step is done again.</remarks>
public sealed class GateSweep(Gates gates, MessageStore messages, FuncStashOptions options, TimeProvider time)
{
    /// <summary>How long an unused flow-control key is remembered.</summary>
    public static readonly TimeSpan KeyLife = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken cancellation = default)
    {
        foreach (var kind in new[] { GateKind.Queue, GateKind.FlowKey })
        {
            foreach (var (name, state) in await gates.ListAsync(kind, cancellation: cancellation))
                await SweepAsync(kind, name, state, cancellation);
        }
    }

    private async Task SweepAsync(GateKind kind, string name, GateState state, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var slot in state.Inside.Where(slot => slot.Until < now))
            await CheckAsync(kind, name, slot, now, cancellation);
        if (state.Waiting > 0)
            await gates.WakeAsync(kind, name);
        else if (kind == GateKind.FlowKey && IsIdle(state, now))
            await gates.RemoveAsync(kind, name, cancellation);
    }

    private async Task CheckAsync(GateKind kind, string name, GateSlot slot, long now, CancellationToken cancellation)
    {
        var patience = (long)(options.MaxTimeout + TimeSpan.FromMinutes(5)).TotalMilliseconds;
        var until = now + patience;
        foreach (var holder in slot.HeldBy())
        {
            var stored = await messages.GetAsync(MessageId.Parse(holder), cancellation);
            if (stored is null or { Ended: true } || (kind == GateKind.FlowKey && stored.Progress.Retried > slot.Attempt))
            {
                await gates.PassAsync(kind, name, slot.Message, slot.Attempt, holder, []);
                continue;
            }
            // Not due, just due, or being attempted; else its work-queue message was lost, or its worker died.
            var expected = stored.Progress is { State: MessageState.Active, ActiveSince: { } since }
                ? since + patience
                : stored.Progress.DueAt + GateContext.AnnouncedMs;
            if (expected > now)
                until = Math.Min(until, expected);
            else
                await messages.RestartAsync(stored, cancellation);
        }
        await gates.RunAsync(kind, name, new GateOperation.Change(s => GateRules.Extend(s, slot, until), creates: false));
    }

    private static bool IsIdle(GateState state, long now) =>
        state is { Inside.Count: 0, Paused: false, PinnedParallelism: false, PinnedRate: false }
        && now >= state.PeriodEnd && now - Math.Max(state.UpdatedAt, state.PeriodStart) > KeyLife.TotalMilliseconds;
}
