using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>Tables and bodies of one store, work queues of another: queues that keep a test's time, beside tables that keep none.</summary>
internal sealed class MixedStore(IStore store, IWorkQueues queues) : IStore
{
    public ITables Tables => store.Tables;

    public IWorkQueues Queues => queues;

    public IBodies Bodies => store.Bodies;

    public bool IsFault(Exception error) => store.IsFault(error);

    public ValueTask PingAsync(CancellationToken cancellation = default) => store.PingAsync(cancellation);
}

/// <summary>
/// A store that does the parts of a commit one after the other, each a call of its own: the writes, the sends, the end of
/// the lease. So does Azure storage, and whoever commits may die in between.
/// </summary>
internal sealed class PartwiseStore(IStore inner) : IStore, ITables
{
    public ITables Tables => this;

    public IWorkQueues Queues => inner.Queues;

    public IBodies Bodies => inner.Bodies;

    public bool IsFault(Exception error) => inner.IsFault(error);

    public ValueTask PingAsync(CancellationToken cancellation = default) => inner.PingAsync(cancellation);

    public ValueTask<Entity?> GetAsync(string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation) =>
        inner.Tables.GetAsync(table, partitionKey, rowKey, only, cancellation);

    public ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only, CancellationToken cancellation) =>
        inner.Tables.QueryAsync(table, partitionKey, range, take, only, cancellation);

    public async ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
    {
        var result = new CommitResult(null, []);
        if (commit.Writes.Count > 0)
            result = await inner.Tables.CommitAsync(commit with { Sends = [], LeaseEnd = null }, cancellation);
        if (!result.Applied)
            return result;
        if (commit.Sends.Count > 0)
            await inner.Queues.SendAsync(commit.Sends, cancellation);
        if (commit.LeaseEnd is { VisibleIn: { } visibleIn } postponed)
            await inner.Queues.RenewAsync(postponed.Lease, visibleIn, cancellation);
        else if (commit.LeaseEnd is { } end)
            await inner.Queues.DeleteAsync(end.Lease, cancellation);
        return result;
    }
}
