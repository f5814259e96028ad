using FuncStash.Settings;

namespace FuncStash.Admission;

/// <summary>The decisions of a gate: pure functions of its state and the time.</summary>
public static class GateRules
{
    /// <summary>How many more may go in now.</summary>
    public static int Capacity(GateState state, long now)
    {
        if (state.Paused)
            return 0;
        var byRate = state.Rate is { } rate ? rate - state.CountAt(now) : int.MaxValue;
        var byPlaces = state.Parallelism is { } places ? places - state.Inside.Count : int.MaxValue;
        var byRoom = GateState.MaxInside - state.Inside.Sum(slot => slot.Holders?.Count ?? 1);
        return Math.Max(0, Math.Min(byRoom, Math.Min(byRate, byPlaces)));
    }

    /// <summary>
    /// A state as a sane clock could have left it: a rate period that begins in the future, because some clock was ahead, ends
    /// a period from now at the latest.
    /// </summary>
    public static GateState WithoutFuture(GateState state, long now) =>
        state.PeriodStart > now + Clocks.SkewMs ? state with { PeriodStart = now } : state;

    /// <summary>Lets candidates in, counting them; the caller has asked <see cref="Capacity"/>.</summary>
    public static GateState Admit(GateState state, IReadOnlyCollection<Candidate> admitted, long now, long until)
    {
        if (admitted.Count == 0)
            return state;
        // A period begins with its first admission, so that no window of its length sees more than the rate twice over.
        if (now >= state.PeriodEnd)
            state = state with { PeriodStart = now, RateCount = 0 };
        return state with
        {
            RateCount = state.RateCount + admitted.Count,
            Inside = [.. state.Inside, .. admitted.Select(c => new GateSlot(c.Message, c.Attempt, until))],
        };
    }

    /// <summary>When to look again although nothing happens: the next rate period, if that is all that is waited for.</summary>
    public static long? NextLook(GateState state, long now)
    {
        if (state.Waiting == 0 || state.Paused || state.Rate is not { } rate || state.CountAt(now) < rate)
            return null;
        return state.Parallelism is { } places && state.Inside.Count >= places ? null : state.PeriodEnd;
    }

    /// <summary>Takes holders off a place and puts others on; a place that nobody holds is free.</summary>
    public static GateState Pass(GateState state, string message, int attempt, string? remove, IReadOnlyList<string> add)
    {
        var index = IndexOf(state, message, attempt);
        if (index < 0)
            return state;
        var slot = state.Inside[index];
        string[] holders = [.. slot.HeldBy().Where(h => h != remove).Union(add)];
        if (holders.SequenceEqual(slot.HeldBy()))
            return state;
        var inside = state.Inside.ToList();
        if (holders.Length == 0)
            inside.RemoveAt(index);
        else
            inside[index] = slot with { Holders = holders };
        return state with { Inside = inside };
    }

    /// <summary>Takes a place for granted until another time.</summary>
    public static GateState Extend(GateState state, GateSlot slot, long until, bool isLookedAt = false)
    {
        var index = IndexOf(state, slot.Message, slot.Attempt);
        if (index < 0)
            return state;
        var inside = state.Inside.ToList();
        inside[index] = inside[index] with { Until = until, IsLookedAt = isLookedAt };
        return state with { Inside = inside };
    }

    public static int IndexOf(GateState state, string message, int attempt)
    {
        for (var i = 0; i < state.Inside.Count; i++)
        {
            if (state.Inside[i].Message == message && state.Inside[i].Attempt == attempt)
                return i;
        }
        return -1;
    }

    /// <summary>The limits that a message brings, where they are not pinned (protocol#flow-control: the last writer wins).</summary>
    public static GateState Configure(GateState state, int? rate, int? parallelism, int period, long now) => Lengthen(state, period, now) with
    {
        HasLimits = true,
        Rate = state.PinnedRate ? state.Rate : rate,
        Parallelism = state.PinnedParallelism ? state.Parallelism : parallelism,
    };

    // A period that has ended is over, however long the next one is.
    private static GateState Lengthen(GateState state, int period, long now)
    {
        if (state.PinnedRate || period == state.Period)
            return state;
        return now < state.PeriodEnd
            ? state with { Period = period }
            : state with { Period = period, RateCount = 0, PeriodStart = Math.Min(state.PeriodStart, now - (period * 1000L)) };
    }

    /// <summary>Lets nobody in from now on, or lets them in again; what it was already it stays, since when it was.</summary>
    public static GateState Pause(GateState state, bool paused, long now) =>
        paused == state.Paused ? state : state with { Paused = paused, PausedAt = paused ? now : null };

    /// <summary>Begins a new rate period with nothing counted.</summary>
    public static GateState ResetRate(GateState state, long now) => state with { RateCount = 0, PeriodStart = now };
}
