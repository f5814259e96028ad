using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Headers;

/// <summary>The request options of a publish, read from headers, query parameters or a batch item (protocol#headers).</summary>
public sealed record PublishSettings
{
    public string? Method { get; init; }

    /// <summary>The headers the destination gets.</summary>
    public HeaderMap Header { get; init; } = HeaderMap.Empty;

    /// <summary>True when the request's own headers reach the destination too.</summary>
    public bool ForwardsAllHeaders { get; init; }

    public int? Retries { get; init; }

    public string? RetryDelay { get; init; }

    /// <summary>How long one attempt may take; zero asks for the service's limit.</summary>
    public TimeSpan? Timeout { get; init; }

    public TimeSpan? Delay { get; init; }

    /// <summary>Not before this unix time in seconds; beats <see cref="Delay"/>.</summary>
    public long? NotBefore { get; init; }

    public CallbackSettings? Callback { get; init; }

    public CallbackSettings? FailureCallback { get; init; }

    public IReadOnlyList<string>? Labels { get; init; }

    public FlowControlSettings? FlowControl { get; init; }

    public string? DeduplicationId { get; init; }

    public bool ContentBasedDeduplication { get; init; }

    public string? Redact { get; init; }

    public string? QueueName { get; init; }

    public string? Cron { get; init; }

    public string? ScheduleId { get; init; }

    /// <summary>These settings, and where they say nothing the <paramref name="weaker"/> ones.</summary>
    public PublishSettings Or(PublishSettings weaker) => this with
    {
        Header = HeaderOr(weaker.Header),
        Method = Method ?? weaker.Method,
        Retries = Retries ?? weaker.Retries,
        RetryDelay = RetryDelay ?? weaker.RetryDelay,
        Timeout = Timeout ?? weaker.Timeout,
        Delay = Delay ?? weaker.Delay,
        NotBefore = NotBefore ?? (Delay is null ? weaker.NotBefore : null),
        Callback = Callback ?? weaker.Callback,
        FailureCallback = FailureCallback ?? weaker.FailureCallback,
        Labels = Labels ?? weaker.Labels,
        FlowControl = FlowControl ?? weaker.FlowControl,
        DeduplicationId = DeduplicationId ?? weaker.DeduplicationId,
        ContentBasedDeduplication = ContentBasedDeduplication || weaker.ContentBasedDeduplication,
        Redact = Redact ?? weaker.Redact,
    };

    /// <summary>A message as these settings ask for it; where they say nothing it stays as it is.</summary>
    /// <param name="message">The message. Its queue is left to the caller.</param>
    /// <param name="now">From when on a delay counts, in unix milliseconds.</param>
    public Message ApplyTo(Message message, long now) => message with
    {
        Method = Method ?? message.Method,
        Header = HeaderOr(message.Header),
        NotBefore = DueAt(now),
        MaxRetries = Retries ?? message.MaxRetries,
        RetryDelay = RetryDelay ?? message.RetryDelay,
        TimeoutMs = Timeout is not { } timeout ? message.TimeoutMs
            : timeout > TimeSpan.Zero ? (long)Math.Ceiling(timeout.TotalMilliseconds)
            : null,
        Callback = Callback ?? message.Callback,
        FailureCallback = FailureCallback ?? message.FailureCallback,
        Labels = Labels ?? message.Labels,
        FlowControl = FlowControl ?? message.FlowControl,
        Redact = Redact ?? message.Redact,
    };

    /// <summary>When the message is due, in unix milliseconds.</summary>
    public long DueAt(long now) =>
        NotBefore is { } seconds ? Math.Max(now, seconds * 1000)
        : Delay is { } delay ? now + (long)delay.TotalMilliseconds
        : now;

    private HeaderMap HeaderOr(HeaderMap weaker)
    {
        var header = Header;
        foreach (var (name, values) in weaker)
        {
            if (!Header.Contains(name))
                header = header.With(name, values);
        }
        return header;
    }
}
