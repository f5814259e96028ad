namespace FuncStash.Testing;

/// <summary>A clock that a test sets; timers run on real time, so that waits between retries end by themselves.</summary>
internal sealed class TestClock : TimeProvider
{
    private long _ms = new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>Unix milliseconds.</summary>
    public long Now => Interlocked.Read(ref _ms);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Now);

    public void Advance(long ms) => Interlocked.Add(ref _ms, ms);

    /// <summary>The clock of another machine, which goes wrong by so many milliseconds.</summary>
    public TimeProvider Skewed(long ms) => new Other(this, ms);

    private sealed class Other(TestClock clock, long skew) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow().AddMilliseconds(skew);
    }
}
