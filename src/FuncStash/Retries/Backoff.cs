namespace FuncStash.Retries;

/// <summary>The wait before a retry when neither the publisher nor the destination asks for another (contract §6.2).</summary>
public static class Backoff
{
    /// <summary>The longest wait before any retry, whoever asked for it: a day.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromDays(1);

    /// <summary><c>e^(2.5 · retry)</c> seconds, at most <see cref="Max"/>: 12 s, 2 m 28 s, 30 m 8 s, 6 h 7 m, then a day.</summary>
    /// <param name="retry">1 for the first retry.</param>
    public static TimeSpan Delay(int retry)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(retry, 1);
        return TimeSpan.FromSeconds(Math.Min(Math.Exp(2.5 * retry), Max.TotalSeconds));
    }
}
