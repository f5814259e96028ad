using System.Text;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>One thing that happened to a message.</summary>
public sealed record LogEntry
{
    /// <summary>When, to the millisecond.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter)), JsonRequired]
    public DateTimeOffset Time { get; init; }

    /// <summary>What.</summary>
    public LogState State { get; init; }

    /// <summary>The message's id.</summary>
    public required string MessageId { get; init; }

    /// <summary>The message's URL, as it was given.</summary>
    public required string Url { get; init; }

    /// <summary>The method it is delivered with, such as <c>POST</c>.</summary>
    public string? Method { get; init; }

    /// <summary>The headers it is delivered with; their names compare without case.</summary>
    [JsonPropertyName("header"), JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Headers { get; init; }

    /// <summary>The payload in base64, or <c>REDACTED:</c> and its SHA-256 in hex; null when it is empty.</summary>
    public string? Body { get; init; }

    /// <summary>The payload's bytes; empty where there is none, and those of the text where it is redacted.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> BodyBytes => Bytes(Body);

    /// <summary>Why an attempt failed, or the message could not go on.</summary>
    public string? Error { get; init; }

    /// <summary>When the next attempt is due; null when there is none, or it is not known here.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset? NextDeliveryTime { get; init; }

    /// <summary>The HTTP status of a failed attempt; null for other entries.</summary>
    public int? ResponseStatus { get; init; }

    /// <summary>The headers of a failed attempt's answer.</summary>
    [JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ResponseHeaders { get; init; }

    /// <summary>The body of a failed attempt's answer in base64; null when it is empty.</summary>
    public string? ResponseBody { get; init; }

    /// <summary>The bytes of a failed attempt's answer; empty where there are none.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> ResponseBodyBytes => Bytes(ResponseBody);

    /// <summary>How long the destination may take to answer; null when only the service's limit holds.</summary>
    [JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often a failed delivery is tried again; there is one attempt more than that.</summary>
    public int MaxRetries { get; init; }

    /// <summary>The wait before each retry as an expression in milliseconds; null for the service's own.</summary>
    public string? RetryDelayExpression { get; init; }

    /// <summary>The URL group it was published to; null when it was none.</summary>
    [JsonPropertyName("topicName")]
    public string? UrlGroup { get; init; }

    /// <summary>The name of the endpoint in the URL group, where it has one.</summary>
    public string? EndpointName { get; init; }

    /// <summary>The queue it is in; null for none.</summary>
    public string? QueueName { get; init; }

    /// <summary>The schedule that made it; null when none did.</summary>
    public string? ScheduleId { get; init; }

    /// <summary>The URL that is told the outcome of each attempt; null for none.</summary>
    public string? Callback { get; init; }

    /// <summary>The URL that is told when it has failed; null for none.</summary>
    public string? FailureCallback { get; init; }

    /// <summary>The key of its flow control; null for none.</summary>
    public string? FlowControlKey { get; init; }

    /// <summary>How many deliveries of its key may wait for answers at a time; null when that is not limited.</summary>
    public int? Parallelism { get; init; }

    /// <summary>How many deliveries of its key may start in a <see cref="Period"/>; null when that is not limited.</summary>
    public int? Rate { get; init; }

    /// <summary>The period of <see cref="Rate"/>, in whole seconds; null without flow control.</summary>
    [JsonConverter(typeof(SecondsConverter))]
    public TimeSpan? Period { get; init; }

    /// <summary>Its labels; null for none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>The IP address it was published from.</summary>
    public string? CallerIp { get; init; }

    // What is redacted is no base64.
    private static byte[] Bytes(string? base64)
    {
        if (base64 is null)
            return [];
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : Encoding.UTF8.GetBytes(base64);
    }
}
