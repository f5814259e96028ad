using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Tests.Waiting;

/// <summary>A store whose work queue lies in several; what a commit sends goes to the first of them.</summary>
internal sealed class SpreadStore(IStore inner, int count) : IStore, IWorkQueues
{
    /// <summary>In how many it lies.</summary>
    public int Count { get; set; } = count;

    /// <summary>How often it still takes until nothing is left in queues in which it lay before; less than none once that was seen.</summary>
    public int Left { get; set; }

    public ITables Tables => inner.Tables;

    public IWorkQueues Queues => this;

    public IBodies Bodies => inner.Bodies;

    public ValueTask PingAsync(CancellationToken cancellation = default) => inner.PingAsync(cancellation);

    public IReadOnlyList<string> NamesOf(string queue) => queue == WorkItem.Queue ? new QueueSpread(queue, Count).Names : [queue];

    public ValueTask SendToEachAsync(string queue, string text, CancellationToken cancellation = default) =>
        SendAsync([.. NamesOf(queue).Select(name => new Send(name, text))], cancellation);

    public ValueTask<bool> GatherAsync(string queue, CancellationToken cancellation = default) => new(Left-- <= 0);

    public ValueTask SendAsync(IReadOnlyList<Send> sends, CancellationToken cancellation = default) =>
        inner.Queues.SendAsync(sends, cancellation);

    /// <summary>From the named one alone.</summary>
    public ValueTask<IReadOnlyList<Lease>> ReceiveAsync(
        string queue, int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation = default) =>
        inner.Queues.ReceiveAsync(queue, max, lease, wait, cancellation);

    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan visibleIn, CancellationToken cancellation = default) =>
        inner.Queues.RenewAsync(lease, visibleIn, cancellation);

    public ValueTask<bool> DeleteAsync(Lease lease, CancellationToken cancellation = default) =>
        inner.Queues.DeleteAsync(lease, cancellation);

    public ValueTask<bool> PoisonAsync(Lease lease, CancellationToken cancellation = default) =>
        inner.Queues.PoisonAsync(lease, cancellation);

    public ValueTask<long> CountAsync(string queue, CancellationToken cancellation = default) =>
        inner.Queues.CountAsync(queue, cancellation);
}
