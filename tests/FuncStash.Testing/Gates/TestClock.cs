namespace FuncStash.Testing;

/// <summary>
/// A clock that a test sets. Timers run on real time and much faster, so that waits between retries end by themselves.
/// </summary>
internal sealed class TestClock : TimeProvider
{
    private const int Speed = 20;

    private long _ms = new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>Unix milliseconds.</summary>
    public long Now => Interlocked.Read(ref _ms);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(Now);

    public void Advance(long ms) => Interlocked.Add(ref _ms, ms);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, Hurried(dueTime), Hurried(period));

    private static TimeSpan Hurried(TimeSpan time) => time > TimeSpan.Zero ? time / Speed : time;

    /// <summary>The clock of another machine, which goes wrong by so many milliseconds.</summary>
    public TimeProvider Skewed(long ms) => new Other(this, ms);

    private sealed class Other(TestClock clock, long skew) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow().AddMilliseconds(skew);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateTimer(callback, state, dueTime, period);
    }
}
