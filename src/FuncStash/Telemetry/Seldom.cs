namespace FuncStash.Telemetry;

/// <summary>Lets one of many through in a while, such as a log line about what happens to every message at once.</summary>
/// <param name="time">The clock.</param>
/// <param name="pause">How long nobody is let through after one was.</param>
public sealed class Seldom(TimeProvider time, TimeSpan pause)
{
    private long _last = long.MinValue;

    /// <summary>True for the first caller, and again for one after each pause.</summary>
    public bool IsTurn()
    {
        var (now, last) = (time.GetTimestamp(), Volatile.Read(ref _last));
        return (last == long.MinValue || time.GetElapsedTime(last, now) >= pause)
            && Interlocked.CompareExchange(ref _last, now, last) == last;
    }
}
