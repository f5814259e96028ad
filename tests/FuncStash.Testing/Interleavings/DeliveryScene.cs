using CsCheck;

namespace FuncStash.Testing;

/// <summary>Something that happens to messages.</summary>
internal enum DeliveryAct
{
    Publish,
    Work,
    Sweep,
    Cancel,
}

/// <summary>What an actor comes to do.</summary>
/// <param name="Number">What to publish or cancel, or how many to work on.</param>
internal sealed record DeliveryPart(DeliveryAct Act, int Number);

/// <summary>
/// What happens in one stretch of time: how much passes first, who comes, after how many storage calls how much more passes,
/// in seconds and milliseconds.
/// </summary>
internal sealed record DeliveryScene(int Seconds, DeliveryPart[] Parts, int Calls, int Ms)
{
    private static readonly Gen<DeliveryPart> s_part = Gen.Select(
        Gen.Frequency((5, Gen.Const(DeliveryAct.Publish)), (6, Gen.Const(DeliveryAct.Work)), (1, Gen.Const(DeliveryAct.Sweep)),
            (1, Gen.Const(DeliveryAct.Cancel))),
        Gen.Int[0, 100_000],
        (act, number) => new DeliveryPart(act, number));

    // Mostly less than a lease, now and then longer.
    private static readonly Gen<int> s_seconds = Gen.Frequency((6, Gen.Int[0, 3]), (1, Gen.Int[60, 70]));

    public static Gen<DeliveryScene[]> Play(int most) => Gen.Select(
        s_seconds, s_part.Array[1, 8], Gen.Int[0, 40], Gen.Int[0, 1500],
        (seconds, parts, calls, ms) => new DeliveryScene(seconds, parts, calls, ms)).Array[1, most];

    public override string ToString() =>
        $"{Seconds} s, {string.Join('+', Parts.Select(part => $"{part.Act}({part.Number})"))}, {Ms} ms after {Calls} calls";
}

/// <summary>The limits of the flow-control key in a play.</summary>
internal sealed record DeliveryLimits(int Rate, int Period, int Parallelism)
{
    public static Gen<DeliveryLimits> Any { get; } =
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 4], Gen.Int[1, 3], (rate, period, parallelism) => new DeliveryLimits(rate, period, parallelism));

    public string Value() => $"rate={Rate}, period={Period}, parallelism={Parallelism}";
}
