using System.Text;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>A message that is on its way.</summary>
public record QStashMessage
{
    /// <summary>Its id, such as <c>msg_2kYvXq8fN3bA7rTzC1</c>.</summary>
    public required string MessageId { get; init; }

    /// <summary>The URL it goes to, as it was given.</summary>
    public required string Url { get; init; }

    /// <summary>The method it is delivered with, such as <c>POST</c>.</summary>
    public string? Method { get; init; }

    /// <summary>The headers it is delivered with; their names compare without case.</summary>
    [JsonPropertyName("header"), JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Headers { get; init; }

    /// <summary>The payload where it is UTF-8 text, or <c>REDACTED:</c> and its SHA-256 in hex; null when it is empty or no text.</summary>
    public string? Body { get; init; }

    /// <summary>The payload where it is not UTF-8 text; null otherwise.</summary>
    public byte[]? BodyBase64 { get; init; }

    /// <summary>The payload's bytes, whatever they are; empty where there is none.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> BodyBytes => BodyBase64 ?? Encoding.UTF8.GetBytes(Body ?? "");

    /// <summary>How often a failed delivery is tried again; there is one attempt more than that.</summary>
    public int MaxRetries { get; init; }

    /// <summary>The wait before each retry as an expression in milliseconds; null for the service's own.</summary>
    public string? RetryDelayExpression { get; init; }

    /// <summary>The time before which it is not delivered.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>When it was published.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The IP address it was published from.</summary>
    public string? CallerIp { get; init; }

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
}
