using System.Collections.Concurrent;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Queues;

/// <summary>
/// Queues whose messages are rows and whose leases are not: receiving writes nothing, and after a restart all that was
/// leased is visible again at once.
/// </summary>
/// <remarks>
/// What is durable: sends, deletes, poison, a lease end that is part of a commit, and a renewal that postpones, which is
/// one longer than both the lease was and a minute. Any other renewal and the count of dequeues are in memory; a
/// postponement writes the count along.
/// </remarks>
internal sealed class SqliteWorkQueues(
    Readers readers, Writer writer, IReadOnlyDictionary<string, long> counts, TimeProvider time) : IWorkQueues, IDisposable
{
    private static readonly long s_minute = (long)TimeSpan.FromMinutes(1).TotalMilliseconds;

    private readonly ConcurrentDictionary<string, WorkQueue> _queues = new(StringComparer.Ordinal);

    public WorkQueue Get(string name) => _queues.TryGetValue(name, out var queue)
        ? queue
        : _queues.GetOrAdd(name, n => new WorkQueue(n, counts.GetValueOrDefault(n), readers, time));

    public MessageSends Prepare(IReadOnlyList<Send> sends) => new(sends, this);

    public static LeaseChange Prepare(LeaseEnd end) => new((SqliteLease)end.Lease, Milliseconds(end.VisibleIn));

    public ValueTask SendAsync(IReadOnlyList<Send> sends, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        if (sends.Count == 0)
            return default;
        var operation = new SendOperation(Prepare(sends));
        writer.Submit(operation);
        return operation.PlainTask;
    }

    public ValueTask<IReadOnlyList<Lease>> ReceiveAsync(
        string queue, int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfLessThan(max, 1);
        return Get(queue).Receive(max, lease, wait, cancellation);
    }

    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan visibleIn, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var held = (SqliteLease)lease;
        var length = (long)visibleIn.TotalMilliseconds;
        if (length <= Math.Max(held.Length, s_minute) && held.Source.Renew(held, length) is { } renewed)
            return new(renewed);
        return Change(new LeaseChange(held, length));
    }

    public ValueTask<bool> DeleteAsync(Lease lease, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Change(new LeaseChange((SqliteLease)lease));
    }

    public ValueTask<bool> PoisonAsync(Lease lease, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Change(new LeaseChange((SqliteLease)lease, poison: Get(lease.Queue + "-poison")));
    }

    public ValueTask<long> CountAsync(string queue, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return new(Get(queue).Count);
    }

    public void Dispose()
    {
        foreach (var queue in _queues.Values)
            queue.Dispose();
    }

    private ValueTask<bool> Change(LeaseChange change)
    {
        var operation = new LeaseOperation(change);
        writer.Submit(operation);
        return operation.Task;
    }

    private static long? Milliseconds(TimeSpan? time) => time is { } span ? (long)span.TotalMilliseconds : null;

    private sealed class SendOperation(MessageSends sends) : Operation<bool>
    {
        public override int Bytes => sends.Bytes;

        public override void Apply(WriteSession session) => sends.Apply(session);

        public override void Publish(WriteSession session) => sends.Publish(session);

        public override void Complete()
        {
            sends.Release();
            base.Complete();
        }

        public override void Fail(Exception exception)
        {
            sends.Release();
            base.Fail(exception);
        }
    }

    private sealed class LeaseOperation(LeaseChange change) : Operation<bool>
    {
        public override void Claim() => change.Claim();

        public override void Apply(WriteSession session) => change.Apply(session);

        public override void Publish(WriteSession session) => change.Publish(session);

        public override void Undo() => change.Undo();

        public override void Complete()
        {
            Result = change.Held;
            base.Complete();
        }
    }
}
