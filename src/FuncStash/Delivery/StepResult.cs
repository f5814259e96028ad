namespace FuncStash.Delivery;

/// <summary>What comes after a delivery step. The end of its lease has seen to it.</summary>
public abstract record StepResult
{
    private StepResult()
    {
    }

    /// <summary>Nothing more: the message has ended, or somebody else acts for it.</summary>
    public sealed record Done : StepResult
    {
        public static readonly Done Instance = new();
    }

    /// <summary>The same step again.</summary>
    /// <param name="At">When, in unix milliseconds.</param>
    public sealed record Again(long At) : StepResult;

    /// <summary>The same step again, once the destination may have a place: too many attempts to it are in flight, or the process has nothing left to make one with.</summary>
    /// <param name="At">When, in unix milliseconds.</param>
    public sealed record Crowded(long At) : StepResult;
}
