using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Delivery;

/// <summary>An attempt that was made.</summary>
/// <param name="Stored">The message as it was then.</param>
/// <param name="Body">Its payload.</param>
/// <param name="StartedAt">When it was sent, in unix milliseconds.</param>
/// <param name="Outcome">What came back.</param>
public sealed record Attempt(StoredMessage Stored, byte[] Body, long StartedAt, AttemptOutcome Outcome)
{
    /// <summary>The side of the workflow run that the message is a part of; null when it is of none.</summary>
    public RunDelivery? Run { get; init; }

    /// <summary>False where the outcome is what it is, and the run has no say in what follows from it.</summary>
    public bool IsJudged { get; init; } = true;

    /// <summary>What a run no longer needs to be sent counts as answered.</summary>
    public static Attempt Needless(StoredMessage stored, RunDelivery run, long now) =>
        new(stored, [], now, new AttemptOutcome.Response(200, HeaderMap.Empty, [])) { Run = run, IsJudged = false };
}

/// <summary>What became of an attempt's outcome.</summary>
internal abstract record Settled
{
    private Settled()
    {
    }

    /// <summary>It is stored.</summary>
    /// <param name="After">The message as it now is.</param>
    /// <param name="RetryAt">When the next attempt is due, in unix milliseconds; null when there is none.</param>
    /// <param name="Run">The side of the workflow run, which then does what it owes; null when the message is of none.</param>
    public sealed record Done(StoredMessage After, long? RetryAt, RunDelivery? Run) : Settled;

    /// <summary>The message was cancelled meanwhile, or another worker was faster.</summary>
    /// <param name="Current">The message as it now is; null when it is gone.</param>
    public sealed record Overtaken(StoredMessage? Current) : Settled;

    /// <summary>The same, or it is stored, by a call whose answer was lost: whoever holds the ticket looks again.</summary>
    public sealed record Unknown : Settled;
}
