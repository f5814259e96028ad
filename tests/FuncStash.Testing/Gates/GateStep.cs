using CsCheck;

namespace FuncStash.Testing;

/// <summary>Something that a test has happen at a gate.</summary>
internal enum GateAct
{
    Join,
    JoinMany,
    Leave,
    LeaveTwice,
    Retry,
    Withdraw,
    Configure,
    Pause,
    Resume,
    Pin,
    Unpin,
    Advance,
}

/// <param name="Act">What.</param>
/// <param name="Process">Which of the two processes does it.</param>
/// <param name="With">True when it happens at the same time as the step before.</param>
/// <param name="Number">Which message, how many, how long: as the act needs it.</param>
internal sealed record GateStep(GateAct Act, int Process, bool With, int Number)
{
    private static readonly GateAct[] s_acts =
    [
        GateAct.Join, GateAct.Join, GateAct.Join, GateAct.JoinMany, GateAct.JoinMany, GateAct.Leave, GateAct.Leave, GateAct.Leave,
        GateAct.LeaveTwice, GateAct.Retry, GateAct.Retry, GateAct.Withdraw, GateAct.Configure, GateAct.Pause, GateAct.Resume,
        GateAct.Pin, GateAct.Unpin, GateAct.Advance, GateAct.Advance,
    ];

    public static Gen<GateStep[]> History(int steps) => Gen.Select(
        Gen.Int[0, s_acts.Length - 1].Select(i => s_acts[i]), Gen.Int[0, 1], Gen.Bool, Gen.Int[0, 1_000_000],
        (act, process, with, number) => new GateStep(act, process, with, number)).Array[1, steps];
}
