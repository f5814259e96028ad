namespace FuncStash.Testing;

/// <summary>
/// The clock of a process in a play: another machine's, which is wrong by so many milliseconds. What is under way takes long
/// when the test says so.
/// </summary>
internal sealed class PlayClock(TestClock clock, long skew) : TimeProvider
{
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly List<HeldTimer> _held = [];
    private long _passed;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow().AddMilliseconds(skew);

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _passed);

    /// <summary>A wait ends by itself; a timer that is set later, as the one that watches attempts, goes off with <see cref="TakeLong"/>.</summary>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime != Timeout.InfiniteTimeSpan)
            return clock.CreateTimer(callback, state, dueTime, period);
        var timer = new HeldTimer(callback, state);
        lock (_lock)
            _held.Add(timer);
        return timer;
    }

    /// <summary>Two seconds pass for whatever is under way, and the timers go off that were set for them.</summary>
    public void TakeLong()
    {
        Interlocked.Add(ref _passed, (long)(s_long.TotalSeconds * TimestampFrequency));
        List<HeldTimer> held;
        lock (_lock)
            held = [.. _held];
        held.ForEach(timer => timer.GoOff(s_long));
    }

    private sealed class HeldTimer(TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _due = Timeout.InfiniteTimeSpan;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _due = dueTime;
            return true;
        }

        public void GoOff(TimeSpan passed)
        {
            if (_due == Timeout.InfiniteTimeSpan || _due > passed)
                return;
            _due = Timeout.InfiniteTimeSpan;
            callback(state);
        }

        public void Dispose() => _due = Timeout.InfiniteTimeSpan;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
