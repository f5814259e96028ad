using System.Globalization;

namespace FuncStash.Runs;

/// <summary>What an entry of a run stands for.</summary>
public enum StepKind
{
    /// <summary>A step's result, or the payload that the run began with.</summary>
    Result,

    /// <summary>The plan of a step that is to run side by side with others.</summary>
    Plan,

    /// <summary>A third party that is called for a step.</summary>
    Call,

    /// <summary>That the third party's answer is reported.</summary>
    CallResult,

    /// <summary>A wait for an event.</summary>
    Wait,

    /// <summary>Another run that is invoked for a step.</summary>
    Invoke,

    /// <summary>Something submitted that does not say which step it is.</summary>
    Other,
}

/// <summary>Which entry of a run it is. There is one of each, however often it is submitted.</summary>
/// <param name="Id">The number of the step that it is, or is planned for; 0 for the payload.</param>
public readonly record struct StepKey(int Id, StepKind Kind)
{
    /// <summary>The largest number of a step.</summary>
    public const int MaxId = 999_999;

    private const string Letters = "rpcfwiu";

    /// <summary>The payload that the run began with.</summary>
    public static readonly StepKey Initial = new(0, StepKind.Result);

    public static StepKey Result(int id) => new(id, StepKind.Result);

    /// <summary>The prefix of all entries of a step.</summary>
    public static string Prefix(int id) => id.ToString("D6", CultureInfo.InvariantCulture);

    public override string ToString() => Prefix(Id) + Letters[(int)Kind];

    public static StepKey Parse(string text) =>
        new(int.Parse(text.AsSpan(0, 6), NumberStyles.None, CultureInfo.InvariantCulture), (StepKind)Letters.IndexOf(text[6], StringComparison.Ordinal));
}
