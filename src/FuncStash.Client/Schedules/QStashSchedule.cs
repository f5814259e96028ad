using System.Text;
using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>A schedule: a cron expression and the message it publishes.</summary>
public sealed record QStashSchedule
{
    /// <summary>Its id.</summary>
    public required string ScheduleId { get; init; }

    /// <summary>The cron expression, five fields, in UTC unless it begins with <c>CRON_TZ=</c> and a time zone.</summary>
    public required string Cron { get; init; }

    /// <summary>The URL or the URL group it publishes to.</summary>
    public required string Destination { get; init; }

    /// <summary>The method its messages are delivered with, such as <c>POST</c>.</summary>
    public string? Method { get; init; }

    /// <summary>The headers its messages are delivered with; their names compare without case.</summary>
    [JsonPropertyName("header"), JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Headers { get; init; }

    /// <summary>The payload where it is UTF-8 text, or <c>REDACTED:</c> and its SHA-256 in hex; null when it is empty or no text.</summary>
    public string? Body { get; init; }

    /// <summary>The payload where it is not UTF-8 text; null otherwise.</summary>
    public byte[]? BodyBase64 { get; init; }

    /// <summary>The payload's bytes, whatever they are; empty where there is none.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> BodyBytes => BodyBase64 ?? Encoding.UTF8.GetBytes(Body ?? "");

    /// <summary>How often a failed delivery of its messages is tried again.</summary>
    public int Retries { get; init; }

    /// <summary>The wait before each retry as an expression in milliseconds; null for the service's own.</summary>
    public string? RetryDelayExpression { get; init; }

    /// <summary>The wait between a run and the delivery of its message, in whole seconds; null for none.</summary>
    [JsonConverter(typeof(SecondsConverter))]
    public TimeSpan? Delay { get; init; }

    /// <summary>How long the destination may take to answer, in seconds; null when only the service's limit holds.</summary>
    [JsonConverter(typeof(SecondsConverter))]
    public TimeSpan? Timeout { get; init; }

    /// <summary>The URL that is told the outcome of each attempt; null for none.</summary>
    public string? Callback { get; init; }

    /// <summary>The settings of the callback; null for none.</summary>
    [JsonPropertyName("callbackHeader"), JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? CallbackHeaders { get; init; }

    /// <summary>The URL that is told when a message has failed; null for none.</summary>
    public string? FailureCallback { get; init; }

    /// <summary>The settings of the failure callback; null for none.</summary>
    [JsonPropertyName("failureCallbackHeader"), JsonConverter(typeof(HeaderMapConverter))]
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? FailureCallbackHeaders { get; init; }

    /// <summary>The queue its messages are put in; null for none.</summary>
    public string? QueueName { get; init; }

    /// <summary>The key of the flow control of its messages; null for none.</summary>
    public string? FlowControlKey { get; init; }

    /// <summary>How many deliveries of the key may wait for answers at a time; null when that is not limited.</summary>
    public int? Parallelism { get; init; }

    /// <summary>How many deliveries of the key may start in a <see cref="Period"/>; null when that is not limited.</summary>
    public int? Rate { get; init; }

    /// <summary>The period of <see cref="Rate"/>, in whole seconds; null without flow control.</summary>
    [JsonConverter(typeof(SecondsConverter))]
    public TimeSpan? Period { get; init; }

    /// <summary>The labels of its messages; null for none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>When it was created.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether it makes no messages until it is resumed.</summary>
    public bool IsPaused { get; init; }

    /// <summary>The IP address it was created from.</summary>
    public string? CallerIp { get; init; }

    /// <summary>When it last ran; null when it has not yet.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset? LastScheduleTime { get; init; }

    /// <summary>When it runs next; null when it does not.</summary>
    [JsonConverter(typeof(UnixMillisecondsConverter))]
    public DateTimeOffset? NextScheduleTime { get; init; }

    /// <summary>What became of the messages of the last run, by their ids; null when there are none.</summary>
    public IReadOnlyDictionary<string, ScheduleRunState>? LastScheduleStates { get; init; }

    /// <summary>Why the last run made no message; null when it did.</summary>
    public string? Error { get; init; }
}
