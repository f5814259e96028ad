namespace FuncStash.Azure;

/// <summary>When this process asks a queue for messages: at once while there are some, less and less often while not.</summary>
/// <remarks>
/// All receivers of one queue share the schedule, so an idle queue costs one empty receive a second, whatever their
/// number. A message that this process sends ends the wait; one from another process waits a second at most. Where a queue
/// lies in several, they share the second: each is asked so many times more seldom.
/// </remarks>
/// <param name="time">The clock.</param>
/// <param name="several">How many queues share the second.</param>
internal sealed class PollSchedule(TimeProvider time, int several = 1)
{
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(20), Longest = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _longest = several * Longest;
    private readonly Lock _gate = new();
    private TaskCompletionSource _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _interval = Shortest;
    private DateTimeOffset _next, _lastEmpty;
    private bool _busy;
    private long _news;

    /// <summary>Whether to ask now, and otherwise how long to wait and for what.</summary>
    /// <param name="IsNow">Ask now, and report with <see cref="Found"/> or <see cref="Empty"/>.</param>
    /// <param name="Wait">How long until it is worth asking.</param>
    /// <param name="Signal">Ends the wait early.</param>
    /// <param name="News">To hand back to <see cref="Empty"/>.</param>
    /// <param name="At">When this turn was taken.</param>
    /// <param name="LastEmpty">When somebody last asked and got nothing.</param>
    public readonly record struct Turn(
        bool IsNow, TimeSpan Wait, Task Signal, long News, DateTimeOffset At, DateTimeOffset LastEmpty);

    public Turn Take()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var isNow = _busy || now >= _next;
            // Doubled now, not with the answer: while that is on its way, the others do not ask as well.
            if (isNow && !_busy)
                (_next, _interval) = (now + _interval, Min(_interval * 2, _longest));
            return new Turn(isNow, isNow ? TimeSpan.Zero : _next - now, _signal.Task, _news, now, _lastEmpty);
        }
    }

    /// <summary>There were messages; there may be more.</summary>
    public void Found() => Rouse(isBusy: true);

    /// <summary>A message was sent, or made visible.</summary>
    public void Sent() => Rouse(isBusy: false);

    /// <summary>There were none, which ends a busy time, unless something was sent since the turn was taken.</summary>
    public void Empty(Turn turn)
    {
        lock (_gate)
        {
            if (turn.News != _news)
                return;
            _lastEmpty = turn.At;
            if (_busy)
                (_next, _interval) = (time.GetUtcNow() + Shortest, Shortest);
            _busy = false;
        }
    }

    private void Rouse(bool isBusy)
    {
        TaskCompletionSource waiting;
        lock (_gate)
        {
            _news++;
            _busy |= isBusy;
            _interval = Shortest;
            _next = default;
            waiting = _signal;
            _signal = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        waiting.SetResult();
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
