namespace FuncStash.Tests.Admission;

/// <summary>
/// A worker that leaves and somebody who adds something, on processors whose stores reach others late (x86-TSO): every order
/// in which their steps can happen.
/// </summary>
internal static class WakeUpModel
{
    /// <param name="Worker">How many steps the worker has done.</param>
    /// <param name="Adder">How many steps whoever adds has done.</param>
    /// <param name="IsWorkedAt">The flag, as others see it.</param>
    /// <param name="IsFlagOnItsWay">Whether the worker's "nobody is at work" has not reached them.</param>
    /// <param name="HasItem">Whether there is something to be done.</param>
    /// <param name="GoesOn">Whether either of the two has found that it has to do it.</param>
    public sealed record State(int Worker, int Adder, bool IsWorkedAt, bool IsFlagOnItsWay, bool HasItem, bool GoesOn);

    private const int Left = 9;

    /// <summary>The worker writes the flag, looks whether there is something, and if so takes the turn again.</summary>
    public static IEnumerable<State> FlagWithoutFence(State s) => Adding(s).Concat(Leaving(s, s with { Worker = 1, IsFlagOnItsWay = true }));

    /// <summary>The same with a store that others see before the look.</summary>
    public static IEnumerable<State> FlagWithFence(State s) => Adding(s).Concat(Leaving(s, s with { Worker = 1, IsWorkedAt = false }));

    /// <summary>To look and to leave is one step, and so is to add and to ask who works.</summary>
    public static IEnumerable<State> UnderLock(State s)
    {
        if (s.Worker == 0)
            yield return s with { Worker = Left, IsWorkedAt = s.HasItem, GoesOn = s.GoesOn || s.HasItem };
        if (s.Adder == 0)
            yield return s with { Adder = Left, HasItem = true, IsWorkedAt = true, GoesOn = s.GoesOn || !s.IsWorkedAt };
    }

    /// <summary>Whether both can be done with something left to do that neither of them does.</summary>
    public static bool CanLose(Func<State, IEnumerable<State>> steps)
    {
        var (seen, open) = (new HashSet<State>(), new Stack<State>([new State(0, 0, true, false, false, false)]));
        while (open.TryPop(out var state))
        {
            if (!seen.Add(state))
                continue;
            if (state is { Worker: Left, Adder: Left, HasItem: true, GoesOn: false })
                return true;
            foreach (var next in steps(state))
                open.Push(next);
        }
        return false;
    }

    private static IEnumerable<State> Leaving(State s, State flagged)
    {
        // A store that is on its way arrives at any time.
        if (s.IsFlagOnItsWay)
            yield return s with { IsWorkedAt = false, IsFlagOnItsWay = false };
        if (s.Worker == 0)
            yield return flagged;
        else if (s.Worker == 1)
            yield return s with { Worker = s.HasItem ? 2 : Left };
        // Compare and exchange: what is on its way goes before it.
        else if (s.Worker == 2 && !s.IsFlagOnItsWay)
            yield return s with { Worker = Left, IsWorkedAt = true, GoesOn = s.GoesOn || !s.IsWorkedAt };
    }

    // A queue that is safe to share, and a compare and exchange after it: each is seen by all at once.
    private static IEnumerable<State> Adding(State s)
    {
        if (s.Adder == 0)
            yield return s with { Adder = 1, HasItem = true };
        else if (s.Adder == 1)
            yield return s with { Adder = Left, IsWorkedAt = true, GoesOn = s.GoesOn || !s.IsWorkedAt };
    }
}
