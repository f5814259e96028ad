namespace FuncStash.Client;

/// <summary>How a call that failed is made again.</summary>
/// <remarks>
/// After a failure of the network, an answer 429 or 5xx, with a wait that doubles each time and is scattered, or the
/// one the service asked for. Only calls that do no more when made twice are made again after a failure that may have
/// come after the deed; the others only after 429, which says that nothing was done. Publishing belongs to the first
/// kind: each message carries a deduplication id, one made up for it where the caller gave none, by which the service
/// takes it once.
/// </remarks>
public sealed class QStashRetryOptions
{
    /// <summary>How often a call is made again at most; 3 by default. With 0 nothing is, and no deduplication ids are made up.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>The wait before the first retry; 200 milliseconds by default. It doubles for each further one.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// The longest wait; 30 seconds by default. When the service asks for a longer one, the call fails at once and
    /// <see cref="QStashRequestException.RetryAfter"/> tells it.
    /// </summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(30);
}
