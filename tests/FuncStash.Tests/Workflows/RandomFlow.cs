using System.Globalization;
using CsCheck;

namespace FuncStash.Tests.Workflows;

/// <summary>What a step of a random workflow does.</summary>
internal enum StepDoes
{
    Run,
    Fail,
    Sleep,
    Call,
    Event,
    Timeout,
    Invoke,
}

/// <summary>One step.</summary>
/// <param name="Number">
/// How often it fails before it works, also in the run that it invokes; or for how many seconds it sleeps or waits at most.
/// </param>
internal sealed record FlowStep(StepDoes Does, int Number)
{
    public static Gen<FlowStep> Any { get; } = Gen.Select(
        Gen.Frequency((4, Gen.Const(StepDoes.Run)), (1, Gen.Const(StepDoes.Fail)), (2, Gen.Const(StepDoes.Sleep)), (2, Gen.Const(StepDoes.Call)),
            (2, Gen.Const(StepDoes.Event)), (1, Gen.Const(StepDoes.Timeout)), (1, Gen.Const(StepDoes.Invoke))),
        Gen.Int[1, 4], (does, number) => new FlowStep(does, number));

    public override string ToString() => $"{Does}({Number})";
}

/// <summary>
/// A random workflow: stages one after the other, the steps of each side by side. Small enough that its result is known
/// without running it.
/// </summary>
internal sealed record RandomFlow(FlowStep[][] Stages)
{
    /// <summary>A step that is to fail more often never works, and makes its run fail.</summary>
    public const int Retries = 3;

    public static Gen<RandomFlow> Any { get; } =
        Gen.Frequency((2, Gen.Const(1)), (1, Gen.Int[2, 4])).SelectMany(steps => FlowStep.Any.Array[steps]).Array[1, 4].Select(stages => new RandomFlow(stages));

    /// <summary>Whether its run fails.</summary>
    public bool Fails => Stages.Any(stage => stage.Any(step => step is { Does: StepDoes.Fail, Number: > Retries }));

    /// <summary>The steps that wait for an event which comes.</summary>
    public IEnumerable<int> Events => Stages.SelectMany(stage => stage).Index().Where(step => step.Item.Does == StepDoes.Event).Select(step => step.Index + 1);

    /// <summary>What it returns.</summary>
    public string Result => string.Join(' ', Stages.SelectMany(stage => stage).Select((step, i) => ResultOf(step, i + 1)));

    /// <summary>What a step is to bring, by its number.</summary>
    public static string ResultOf(FlowStep step, int id) => step.Does switch
    {
        StepDoes.Run or StepDoes.Fail => string.Create(CultureInfo.InvariantCulture, $"r{id}"),
        StepDoes.Sleep => "slept",
        StepDoes.Call => string.Create(CultureInfo.InvariantCulture, $"called{id}"),
        StepDoes.Invoke => step.Number > Retries ? "failed" : "r1",
        StepDoes.Event => string.Create(CultureInfo.InvariantCulture, $"event{id}"),
        _ => "timeout",
    };

    public override string ToString() => string.Join(", ", Stages.Select(stage => string.Join('+', stage.AsEnumerable())));
}
