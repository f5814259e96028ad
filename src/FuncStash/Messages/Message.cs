using System.Text.Json.Serialization;
using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>What was published: fixed from its acceptance on. What has become of it is its <see cref="Progress"/>.</summary>
public sealed record Message
{
    [JsonIgnore]
    public MessageId Id { get; init; }

    public required string Url { get; init; }

    public string Method { get; init; } = "POST";

    /// <summary>The headers to send on, names in canonical form (protocol#header-names).</summary>
    public HeaderMap Header { get; init; } = HeaderMap.Empty;

    /// <summary>
    /// The payload, byte for byte; empty here while <see cref="BodyName"/> says where it lies, or where it was left out.
    /// </summary>
    [JsonIgnore]
    public byte[] Body { get; init; } = [];

    /// <summary>The payload's length in bytes; null for a message that was stored before this was noted.</summary>
    public int? BodySize { get; init; }

    /// <summary>True for a message that was read for a list, without the payload in its row.</summary>
    [JsonIgnore]
    public bool IsBodyLeftOut { get; init; }

    /// <summary>The name of the stored payload when it is too big for the message's row.</summary>
    public string? BodyName { get; init; }

    /// <summary>When it was accepted, in unix milliseconds.</summary>
    [JsonIgnore]
    public long CreatedAt => Id.CreatedAt;

    /// <summary>When it was first due, in unix milliseconds.</summary>
    public long NotBefore { get; init; }

    /// <summary>False for one that is due as soon as it is accepted, whatever anybody's clock says.</summary>
    [JsonIgnore]
    public bool IsDelayed => NotBefore > CreatedAt;

    public int MaxRetries { get; init; }

    /// <summary>The text of <c>Upstash-Retry-Delay</c> (protocol#retry-delay).</summary>
    public string? RetryDelay { get; init; }

    /// <summary>How long one attempt may take, in milliseconds; null for the service's limit.</summary>
    public long? TimeoutMs { get; init; }

    public CallbackSettings? Callback { get; init; }

    public CallbackSettings? FailureCallback { get; init; }

    public IReadOnlyList<string>? Labels { get; init; }

    public string? TopicName { get; init; }

    public string? EndpointName { get; init; }

    public string? QueueName { get; init; }

    /// <summary>
    /// When its queue was created, in unix milliseconds: one of that name that was created at another time is not its queue.
    /// Of a delayed message only; null too for one that was stored before this was noted, whose queue is any of that name.
    /// </summary>
    public long? QueueCreatedAt { get; init; }

    public string? ScheduleId { get; init; }

    public FlowControlSettings? FlowControl { get; init; }

    public string CallerIp { get; init; } = "";

    /// <summary>The text of <c>Upstash-Redact-Fields</c> (protocol#redaction).</summary>
    public string? Redact { get; init; }

    public string? Api { get; init; }

    /// <summary>The id of the message whose outcome this one reports; null for one that a client published.</summary>
    public string? CallbackOf { get; init; }

    /// <summary>The place in a queue that this callback holds until its own end.</summary>
    public QueueSlot? QueueSlot { get; init; }

    /// <summary>The part it plays in a workflow run; null for a message of its own.</summary>
    public RunPart? Run { get; init; }

    /// <summary>The W3C trace context under which it was published.</summary>
    public string? TraceParent { get; init; }

    public string? TraceState { get; init; }
}

/// <summary>A callback URL and the settings given for it, under the names a publish to that URL would use.</summary>
public sealed record CallbackSettings(string Url, HeaderMap Settings);

/// <summary>A flow-control key and its limits (protocol#flow-control-values).</summary>
/// <param name="Period">The length of the rate window in seconds.</param>
public sealed record FlowControlSettings(string Key, int? Rate, int? Parallelism, int Period);

/// <summary>A place in a queue, and the message that was let in.</summary>
public sealed record QueueSlot(string Queue, string Message);
