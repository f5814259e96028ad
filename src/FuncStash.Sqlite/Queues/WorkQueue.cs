using System.Text;
using FuncStash.Messages;
using FuncStash.Schedules;
using FuncStash.Sqlite.Sql;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Queues;

/// <summary>One queue: its window, its leases and the receivers that wait. Leases live in memory only.</summary>
internal sealed class WorkQueue : IDisposable
{
    private readonly Lock _gate = new();

    private readonly TimeProvider _time;

    private readonly MessageWindow _window;

    private readonly LeaseHeap _leases = new();

    private readonly LinkedList<Receiver> _receivers = [];

    private ITimer? _timer;

    private long _count, _timerAt = long.MaxValue;

    private bool _closed;

    public WorkQueue(string name, long count, Readers readers, TimeProvider time)
    {
        Name = name;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        _count = count;
        _time = time;
        _window = new MessageWindow(Utf8Name, readers);
    }

    public string Name { get; }

    public byte[] Utf8Name { get; }

    public long Count => Interlocked.Read(ref _count);

    /// <summary>How many messages are in memory.</summary>
    public int Held
    {
        get
        {
            lock (_gate)
                return _window.Count;
        }
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Takes what is there, or waits for the first message up to <paramref name="wait"/>.</summary>
    public ValueTask<IReadOnlyList<Lease>> Receive(int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(SqliteStore));
            var now = Now;
            var length = (long)lease.TotalMilliseconds;
            var taken = Take(max, length, now);
            if (taken.Count > 0 || wait <= TimeSpan.Zero)
                return new(taken);
            var receiver = new Receiver(this, max, length, now + (long)wait.TotalMilliseconds);
            receiver.Node = _receivers.AddLast(receiver);
            receiver.Cancellation = cancellation.UnsafeRegister(
                static (waiting, token) => ((Receiver)waiting!).Cancel(token), receiver);
            SetTimer(now);
            return new(receiver.Task);
        }
    }

    /// <summary>Takes in messages that were committed just now. <see cref="Dispatch"/> gives them to receivers.</summary>
    public void Add(QueuedMessage message)
    {
        lock (_gate)
        {
            _count++;
            _window.Add(message, Now);
        }
    }

    /// <summary>Gives what is ready to the receivers that wait, and ends the waits that are over.</summary>
    public void Dispatch()
    {
        lock (_gate)
        {
            if (_receivers.Count == 0)
                return;
            var now = Now;
            try
            {
                while (_receivers.First?.Value is { } receiver
                    && Take(receiver.Max, receiver.LeaseLength, now) is { Count: > 0 } taken)
                    End(receiver, taken);
            }
            catch (Exception e) // the file cannot be read: tell whoever waits, not the thread that happens to run
            {
                foreach (var receiver in _receivers)
                    receiver.TrySetException(e);
                _receivers.Clear();
            }

            for (var node = _receivers.First; node is not null;)
            {
                var receiver = node.Value;
                node = node.Next;
                if (receiver.Deadline <= now)
                    End(receiver, []);
            }

            SetTimer(now);
        }
    }

    /// <summary>A longer or shorter lease, in memory alone. False when it was lost; null when it takes a durable write.</summary>
    public bool? Renew(SqliteLease lease, long visibleIn)
    {
        lock (_gate)
        {
            var message = lease.Message;
            if (message.Holder != lease)
                return false;
            if (message.State is MessageState.Stored)
                return null;
            if (message.State is MessageState.Ending)
                return false;
            _leases.Remove(message);
            Hide(message, Now + visibleIn);
        }

        Dispatch();
        return true;
    }

    /// <summary>Keeps the message for an end of the lease that is about to be written. False when the lease was lost.</summary>
    public bool Claim(SqliteLease lease)
    {
        lock (_gate)
        {
            var message = lease.Message;
            if (message.Holder != lease || message.State is MessageState.Ending)
                return false;
            if (message.State is MessageState.Stored && _window.HoldsRow(message))
                return false; // its time came, and it was read from the file for somebody else
            _leases.Remove(message);
            message.State = MessageState.Ending;
            return true;
        }
    }

    /// <summary>Takes a claim back: nothing was written.</summary>
    public void Unclaim(QueuedMessage message)
    {
        lock (_gate)
            if (_window.Holds(message))
                Hide(message, message.Until);
            else
                message.State = MessageState.Stored;
    }

    /// <summary>The claimed message is no longer in this queue.</summary>
    public void Remove(QueuedMessage message, bool wasThere)
    {
        lock (_gate)
        {
            _window.Forget(message);
            message.State = MessageState.Gone;
            message.Holder = null;
            _count -= wasThere ? 1 : 0;
        }
    }

    /// <summary>The claimed message has a new time in the file.</summary>
    public void Postpone(QueuedMessage message, long visibleAt)
    {
        lock (_gate)
        {
            _window.Forget(message);
            message.VisibleAt = visibleAt;
            _window.Add(message, now: long.MinValue);
        }
    }

    /// <summary>Ends all waits with nothing.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            while (_receivers.First?.Value is { } receiver)
                End(receiver, []);
            _timer?.Dispose();
        }
    }

    private List<Lease> Take(int max, long length, long now)
    {
        while (_leases.First <= now)
            _window.Return(_leases.Pop());
        var taken = new List<Lease>();
        while (taken.Count < max && _window.Next(now) is { } message)
        {
            message.Dequeues++;
            taken.Add(message.Holder = new SqliteLease(this, message, length));
            Hide(message, now + length);
        }

        return taken;
    }

    private void Hide(QueuedMessage message, long until)
    {
        message.State = MessageState.Leased;
        message.Until = until;
        _leases.Add(message);
    }

    private void End(Receiver receiver, IReadOnlyList<Lease> taken)
    {
        _receivers.Remove(receiver.Node!);
        receiver.Cancellation.Unregister(); // Dispose would wait for a callback that waits for the gate
        receiver.SetResult(taken);
    }

    /// <summary>Wakes the receivers when next something becomes visible or a wait is over. No receivers, no timer.</summary>
    private void SetTimer(long now)
    {
        if (_receivers.Count == 0)
            return;
        var at = Math.Min(_leases.First, _window.NextStored);
        foreach (var receiver in _receivers)
            at = Math.Min(at, receiver.Deadline);
        if (at >= _timerAt && _timerAt > now)
            return; // it will fire early, and be set anew
        _timerAt = at;
        var due = TimeSpan.FromMilliseconds(Math.Clamp(at - now, 1, (long)TimeSpan.FromDays(1).TotalMilliseconds));
        _timer ??= _time.CreateTimer(static queue => ((WorkQueue)queue!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_gate)
            _timerAt = long.MaxValue;
        if (!_closed)
            Dispatch();
    }

    private void Cancel(Receiver receiver, CancellationToken token)
    {
        lock (_gate)
        {
            if (receiver.Node?.List is null)
                return; // it was given something meanwhile
            _receivers.Remove(receiver.Node);
            receiver.SetCanceled(token);
        }
    }

    private sealed class Receiver(WorkQueue queue, int max, long leaseLength, long deadline)
        : TaskCompletionSource<IReadOnlyList<Lease>>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public int Max => max;

        public long LeaseLength => leaseLength;

        public long Deadline => deadline;

        public LinkedListNode<Receiver>? Node { get; set; }

        public CancellationTokenRegistration Cancellation { get; set; }

        public void Cancel(CancellationToken token) => queue.Cancel(this, token);
    }
}
