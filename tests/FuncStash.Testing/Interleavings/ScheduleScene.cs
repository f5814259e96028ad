using CsCheck;

namespace FuncStash.Testing;

/// <summary>Something that happens to a schedule.</summary>
internal enum ScheduleAct
{
    Tick,
    Pause,
    Resume,
    Delete,
    Replace,
    ChangeGroup,
}

/// <summary>What happens in one stretch of time: how much passes first, who comes, how many storage calls are made.</summary>
internal sealed record ScheduleScene(int Seconds, ScheduleAct[] Acts, int Calls)
{
    private static readonly Gen<ScheduleAct> s_act = Gen.Frequency(
        (6, Gen.Const(ScheduleAct.Tick)), (2, Gen.Const(ScheduleAct.Pause)), (2, Gen.Const(ScheduleAct.Resume)),
        (1, Gen.Const(ScheduleAct.Delete)), (2, Gen.Const(ScheduleAct.Replace)), (1, Gen.Const(ScheduleAct.ChangeGroup)));

    private static readonly Gen<ScheduleScene> s_any = Gen.Select(
        Gen.Int[0, 70], s_act.Array[1, 4], Gen.Int[0, 60], (seconds, acts, calls) => new ScheduleScene(seconds, acts, calls));

    // A ticker that has something to publish, and somebody who stops it.
    private static readonly Gen<ScheduleScene> s_race = Gen.OneOf(ScheduleAct.Pause, ScheduleAct.Delete, ScheduleAct.Replace).Select(
        stop => new ScheduleScene(60, [ScheduleAct.Tick, stop], int.MaxValue));

    public static Gen<ScheduleScene[]> Play { get; } = Gen.Frequency((4, s_any), (1, s_race)).Array[1, 8];

    public override string ToString() => $"{Seconds} s, {string.Join('+', Acts)}, {Calls} calls";
}
