namespace FuncStash.Delivery;

/// <summary>
/// Tells of attempts that take longer than a second. One timer serves all of them: most attempts are over long
/// before, and a timer for each costs more than what it guards.
/// </summary>
internal sealed class SlowAttempts(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_after = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly LinkedList<Watch> _running = [];
    private ITimer? _timer;
    private bool _armed;

    /// <summary>Begins to watch an attempt. <paramref name="onSlow"/> is called once, on another thread, if it is slow.</summary>
    public Watch Start(Func<Task> onSlow)
    {
        lock (_lock)
        {
            var watch = new Watch(this, onSlow, time.GetTimestamp());
            _running.AddLast(watch.Node);
            if (!_armed)
                Arm(s_after);
            return watch;
        }
    }

    public void Dispose() => _timer?.Dispose();

    private void Arm(TimeSpan due)
    {
        _armed = true;
        _timer ??= time.CreateTimer(static all => ((SlowAttempts)all!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            _armed = false;
            while (_running.First?.Value is { } oldest)
            {
                var left = s_after - time.GetElapsedTime(oldest.Since);
                if (left > TimeSpan.Zero)
                {
                    // A timer that fires a trifle early would fire again and again.
                    Arm(left + TimeSpan.FromMilliseconds(1));
                    return;
                }
                _running.Remove(oldest.Node);
                oldest.Tell();
            }
        }
    }

    /// <summary>One attempt.</summary>
    public sealed class Watch
    {
        private readonly SlowAttempts _all;
        private readonly Func<Task> _onSlow;
        private Task _told = Task.CompletedTask;

        internal Watch(SlowAttempts all, Func<Task> onSlow, long since)
        {
            (_all, _onSlow, Since) = (all, onSlow, since);
            Node = new LinkedListNode<Watch>(this);
        }

        internal long Since { get; }

        internal LinkedListNode<Watch> Node { get; }

        /// <summary>The attempt is over; waits for what was begun when it was found slow.</summary>
        public Task StopAsync()
        {
            lock (_all._lock)
            {
                if (Node.List is not null)
                    _all._running.Remove(Node);
                return _told;
            }
        }

        internal void Tell() => _told = Task.Run(_onSlow);
    }
}
