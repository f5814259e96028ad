namespace FuncStash.Client;

/// <summary>How something is delivered: a message, or the callback about it. What is not set is left to the service.</summary>
public abstract class DeliveryOptions
{
    private protected DeliveryOptions()
    {
    }

    /// <summary>The method of the delivery: GET, POST, PUT, PATCH or DELETE; POST by default.</summary>
    public HttpMethod? Method { get; set; }

    /// <summary>
    /// Headers for the destination. <c>Content-Type</c> is that of the body; names that begin with <c>Upstash-</c> are
    /// settings and go to the service as they are, for those that have no property here.
    /// </summary>
    public IDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The wait before the first delivery, in whole seconds; a fraction counts as one more.</summary>
    public TimeSpan? Delay { get; set; }

    /// <summary>How often a failed delivery is tried again, 0 or more; 3 by default. There is one attempt more than that.</summary>
    public int? Retries { get; set; }

    /// <summary>
    /// The wait before each retry, in milliseconds, as an expression over <c>retried</c> (0 before the first retry), such as
    /// <c>1000 * (1 + retried)</c> or <c>min(pow(2, retried) * 1000, 60000)</c>.
    /// </summary>
    public string? RetryDelay { get; set; }

    /// <summary>How long the destination may take to answer, to the millisecond; the service has its own limit above it.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>A limit this delivery shares with others of the same key.</summary>
    public FlowControlOptions? FlowControl { get; set; }

    internal virtual void Write(SettingHeaders headers)
    {
        foreach (var (name, value) in Headers)
            headers.AddUserHeader(name, value);
        if (Method is not null)
            headers.Set("Method", Method.Method);
        headers.Set("Delay", DurationText.WholeSeconds(Delay, nameof(Delay)));
        headers.Set("Retries", Retries, 0);
        headers.Set("Retry-Delay", RetryDelay);
        headers.Set("Timeout", DurationText.Seconds(Timeout, nameof(Timeout)));
        FlowControl?.Write(headers);
    }
}
