using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Publishing;

/// <summary>A publish as it came in, its settings read.</summary>
/// <param name="Destination">The destination's text (protocol#destinations).</param>
public sealed record PublishRequest(string Destination, PublishSettings Settings, byte[] Body)
{
    public string CallerIp { get; init; } = "";

    /// <summary>The queue to enqueue into.</summary>
    public string? QueueName { get; init; }

    /// <summary>The schedule whose occurrence this is.</summary>
    public string? ScheduleId { get; init; }

    /// <summary>The trace context that the publisher sent.</summary>
    public TraceContext? Trace { get; init; }

    /// <summary>
    /// What causes this publish, where the same cause must not publish twice; with the time at which it is due to be
    /// created, in unix milliseconds.
    /// </summary>
    public (string Text, long At)? Cause { get; init; }

    /// <summary>
    /// What asks for this publish, where that may ask twice: within the time of deduplication one message, or one schedule,
    /// comes of it. A deduplication id that the settings name counts instead. Null for what may not.
    /// </summary>
    public string? Once { get; init; }

    /// <summary>
    /// Called with the ids of the messages before any of them is stored; what it throws ends the publish with nothing
    /// stored. Not called in a batch.
    /// </summary>
    public Func<IReadOnlyList<MessageId>, CancellationToken, ValueTask>? BeforeStoring { get; init; }
}

/// <summary>The answer for one message (protocol#publish).</summary>
public sealed record Published(MessageId Id, string Url, bool Deduplicated);

/// <summary>The answer to a publish: one message, or one for each endpoint of a URL group.</summary>
public sealed record PublishResult(IReadOnlyList<Published> Messages, bool IsGroup);
