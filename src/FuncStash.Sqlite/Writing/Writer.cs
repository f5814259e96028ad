using System.Runtime.InteropServices;

namespace FuncStash.Sqlite.Writing;

/// <summary>
/// The one thread that writes. It takes what has gathered while the last group was synced and makes it the next group:
/// one transaction, one sync, however many callers. What is big waits for what is small, a piece with each group.
/// </summary>
internal sealed class Writer : IDisposable
{
    private const int MaxOperations = 512, MaxBytes = 2 * 1024 * 1024;

    /// <summary>Beside small operations, a group takes big ones until they are so many bytes; alone, until they are 2 MiB.</summary>
    public const int BigBytes = 64 * 1024;

    private readonly Lock _gate = new();

    // Not disposed: a caller whose operation was taken in may set it even after the end, and is not to be told it was refused.
    private readonly AutoResetEvent _wake = new(false);

    private readonly WriteSession _session;

    private readonly Thread _thread;

    private readonly LogKeeper? _log;

    private readonly Queue<Operation> _big = [];

    private List<Operation> _pending = [], _taken = [];

    private bool _sleeping, _closed;

    public Writer(WriteSession session, LogKeeper? log)
    {
        _session = session;
        _log = log;
        if (log is not null)
            log.Ended = () => _wake.Set();
        _thread = new Thread(Run) { IsBackground = true, Name = "SQLite writer" };
        _thread.Start();
    }

    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public void Submit(Operation operation)
    {
        bool wasSleeping;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(SqliteStore));
            if (operation.IsBig)
                _big.Enqueue(operation);
            else
                _pending.Add(operation);
            wasSleeping = _sleeping;
            _sleeping = false;
        }

        if (wasSleeping)
            _wake.Set();
    }

    /// <summary>Finishes what was submitted, and takes no more.</summary>
    public void Dispose()
    {
        lock (_gate)
            _closed = true;
        _wake.Set();
        _thread.Join();
    }

    private void Run()
    {
        while (Take())
        {
            var all = CollectionsMarshal.AsSpan(_taken);
            while (!all.IsEmpty)
            {
                var group = all[..GroupSize(all)];
                Write(group);
                all = all[group.Length..];
            }

            _taken.Clear();
        }
    }

    /// <summary>Waits for operations; false when the writer was closed and none are left.</summary>
    private bool Take()
    {
        while (true)
        {
            _log?.Finish(_session);
            lock (_gate)
            {
                var takesBig = _big.Count > 0 && _log?.HoldsBig != true;
                if (_pending.Count > 0 || takesBig)
                {
                    (_pending, _taken) = (_taken, _pending);
                    var room = _taken.Count == 0 ? MaxBytes : BigBytes;
                    while (takesBig && room > 0 && _big.TryDequeue(out var big))
                    {
                        room -= big.Bytes;
                        _taken.Add(big);
                    }

                    return true;
                }

                if (_closed && _big.Count == 0)
                    return false;
                _sleeping = true;
            }

            _wake.WaitOne();
        }
    }

    private static int GroupSize(ReadOnlySpan<Operation> operations)
    {
        var bytes = 0L;
        for (var i = 0; i < operations.Length && i < MaxOperations; i++)
            if ((bytes += operations[i].Bytes) > MaxBytes && i > 0)
                return i;
        return Math.Min(operations.Length, MaxOperations);
    }

    private void Write(ReadOnlySpan<Operation> group)
    {
        if (Commit(group) is { } failure)
        {
            if (group.Length == 1)
                ThreadPool.UnsafeQueueUserWorkItem(
                    static failed => failed.Operation.Fail(failed.Error), (Operation: group[0], Error: failure), preferLocal: false);
            else
                for (var i = 0; i < group.Length; i++)
                    Write(group.Slice(i, 1)); // so that only the one at fault fails
            return;
        }

        var big = false;
        foreach (var operation in group)
        {
            big |= operation.IsBig;
            operation.Publish(_session);
        }
        foreach (var queue in _session.Touched)
            queue.Dispatch();
        _session.Touched.Clear();
        while (!group.IsEmpty)
        {
            var some = group[..Math.Min(group.Length, Completions.Most)];
            ThreadPool.UnsafeQueueUserWorkItem(new Completions(some.ToArray()), preferLocal: false);
            group = group[some.Length..];
        }

        _log?.Committed(_session, big);
    }

    /// <summary>Callers that go on one after the other: waking a thread for each would cost more than most of them do.</summary>
    private sealed class Completions(Operation[] operations) : IThreadPoolWorkItem
    {
        public const int Most = 32;

        public void Execute()
        {
            foreach (var operation in operations)
                operation.Complete();
        }
    }

    private Exception? Commit(ReadOnlySpan<Operation> group)
    {
        foreach (var operation in group)
            operation.Claim();
        var failure = TryCommit(group);
        // Not inside the session: a queue's own lock is taken before that of the connection it reads from.
        if (failure is not null)
            foreach (var operation in group)
                operation.Undo();
        return failure;
    }

    private Exception? TryCommit(ReadOnlySpan<Operation> group)
    {
        lock (_session.Gate)
            try
            {
                _session.Begin();
                foreach (var operation in group)
                    operation.Apply(_session);
                _session.Commit();
                return null;
            }
            catch (Exception e)
            {
                _session.Rollback();
                return e;
            }
    }
}
