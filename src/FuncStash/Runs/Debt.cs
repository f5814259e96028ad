namespace FuncStash.Runs;

/// <summary>
/// What a run owes to others after a step of its own, such as an answer to the run that invoked it. It is written down with
/// the step, done right after it, and done again by whoever finds it still there: doing it twice does it once.
/// </summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Step">For which step; 0 where that is of no matter.</param>
/// <param name="Waits">The events that the run no longer waits for.</param>
/// <param name="Deliveries">What a resumed run goes on with.</param>
public sealed record Debt(
    DebtKind Kind, int Step = 0, IReadOnlyList<OpenWait>? Waits = null, IReadOnlyList<Redelivery>? Deliveries = null)
{
    /// <summary>When what a resumed run goes on with is due at the earliest, in unix milliseconds; null for at once.</summary>
    public long? NotBefore { get; init; }

    /// <summary>The name of the payload that nothing needs any more.</summary>
    public string? BodyName { get; init; }

    /// <summary>The last part of its row's key.</summary>
    internal string Key => BodyName is { } name ? $"{Kind}|{name}" : FormattableString.Invariant($"{Kind}|{Step}");

    /// <summary>Removes a payload, after a while: somebody may be about to read it.</summary>
    internal static Debt OfBody(string name) => new(DebtKind.Body) { BodyName = name };
}

public enum DebtKind
{
    /// <summary>End what the run has under way: deliveries, calls, waits.</summary>
    Drop,

    /// <summary>Make the run's dead letter.</summary>
    Letter,

    /// <summary>Tell the run that invoked this one how it ended.</summary>
    Answer,

    /// <summary>Start the run that a step invokes.</summary>
    Invoke,

    /// <summary>Deliver what a resumed run goes on with.</summary>
    Deliver,

    /// <summary>Remove a payload that something else has taken the place of.</summary>
    Body,
}

/// <summary>A delivery to be made again in a run that was resumed.</summary>
/// <param name="Step">The entry.</param>
/// <param name="Source">The message that brought it, or was to bring it, in the run that failed.</param>
public sealed record Redelivery(string Step, string Source);
