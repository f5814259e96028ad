namespace FuncStash.Client;

/// <summary>Decides whether and when a failed call is made again.</summary>
internal static class RetryRule
{
    /// <summary>
    /// How long after the first attempt a call may still be made again. The service remembers deduplication ids for 10
    /// minutes; one of them is left for the request to arrive.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(9);

    /// <summary>The wait before the next attempt; null when there is none.</summary>
    /// <param name="failure">How the last attempt failed.</param>
    /// <param name="retries">How often the call was made again already.</param>
    /// <param name="elapsed">The time since the first attempt began.</param>
    /// <param name="repeatable">Whether the call does no more when made twice.</param>
    /// <param name="options">How patient the caller is.</param>
    /// <param name="scatter">A random number in [0, 1), so that callers that failed together do not come back together.</param>
    public static TimeSpan? Wait(
        QStashRequestException failure, int retries, TimeSpan elapsed, bool repeatable, QStashRetryOptions options, double scatter)
    {
        var nothingDone = failure.Status == 429;
        if (!failure.IsTransient || !(repeatable || nothingDone) || retries >= options.MaxRetries)
            return null;
        var wait = failure.RetryAfter ?? BackOff(retries, options) * (1 - scatter / 2);
        return wait > options.MaxDelay || elapsed + wait > Limit ? null : wait;
    }

    private static TimeSpan BackOff(int retries, QStashRetryOptions options)
    {
        // In ticks as a double: doubled often enough, it would overflow a time span.
        var ticks = options.Delay.Ticks * Math.Pow(2, retries);
        return ticks < options.MaxDelay.Ticks ? TimeSpan.FromTicks((long)ticks) : options.MaxDelay;
    }
}
