using FuncStash.Wire;

namespace FuncStash.Runs;

/// <summary>An entry of a run.</summary>
/// <param name="Key">Which one.</param>
/// <param name="MessageId">The message that brings it to the endpoint, or carries it out.</param>
/// <param name="At">When it was accepted, in unix milliseconds.</param>
public sealed record RunStep(StepKey Key, string MessageId, long At)
{
    /// <summary>Its place in the history that the endpoint sees; null while it is not due, and for what the endpoint never sees.</summary>
    public int? Position { get; init; }

    /// <summary>When it is due, in unix milliseconds, for what was delayed; null for all else.</summary>
    public long? DueAt { get; init; }

    /// <summary>How many run side by side with it, itself included.</summary>
    public int Concurrent { get; init; } = 1;

    /// <summary>What was submitted; empty here while <see cref="BodyName"/> says where it lies.</summary>
    public byte[] Body { get; init; } = [];

    public string? BodyName { get; init; }

    /// <summary>The length of what was submitted, in bytes.</summary>
    public long Size { get; init; }

    public StepDetail? Detail { get; init; }

    public string? ETag { get; init; }
}

/// <summary>What is kept of a call, a wait or an invocation.</summary>
public sealed record StepDetail
{
    public string? Name { get; init; }

    public string? Type { get; init; }

    /// <summary>The step without its result, as JSON.</summary>
    public string? Step { get; init; }

    /// <summary>Whom a call calls; the workflow that is invoked; where a wait's end is delivered to.</summary>
    public string? Url { get; init; }

    public string? Method { get; init; }

    /// <summary>The headers of a call.</summary>
    public HeaderMap? Header { get; init; }

    public int? MaxRetries { get; init; }

    /// <summary>The publish settings for the delivery that the step's result makes.</summary>
    public HeaderMap? Settings { get; init; }

    /// <summary>What the run that is invoked is started with.</summary>
    public RunSpec? Invoked { get; init; }

    /// <summary>The key of that run.</summary>
    public string? InvokedKey { get; init; }

    public string? Event { get; init; }

    /// <summary>When a wait ends by itself, in unix milliseconds.</summary>
    public long? Deadline { get; init; }

    /// <summary>The time-out as it was given.</summary>
    public string? Timeout { get; init; }
}
