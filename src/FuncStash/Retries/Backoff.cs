namespace FuncStash.Retries;

/// <summary>The wait before a retry when neither the publisher nor the destination asks for another (protocol#backoff).</summary>
public static class Backoff
{
    /// <summary>
    /// How much longer than documented a wait may be, as a part of it: messages that failed together come back spread over
    /// so much of their wait, not all in one millisecond.
    /// </summary>
    public const double Spread = 0.05;

    /// <summary>The longest wait that is documented or that anybody may ask for: a day.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromDays(1);

    /// <summary>
    /// <c>e^(2.5 · retry)</c> seconds, at most <see cref="Max"/>: 12 s, 2 m 28 s, 30 m 8 s, 6 h 7 m, then a day; longer by
    /// <see cref="Spread"/> at most, never shorter.
    /// </summary>
    /// <param name="retry">1 for the first retry.</param>
    /// <param name="random">From 0, for the documented wait, to 1.</param>
    public static TimeSpan Delay(int retry, double random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(retry, 1);
        return TimeSpan.FromSeconds(Math.Min(Math.Exp(2.5 * retry), Max.TotalSeconds) * (1 + (Spread * random)));
    }
}
