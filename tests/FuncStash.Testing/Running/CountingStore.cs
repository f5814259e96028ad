using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>SQLite in memory, counting what is asked of its tables and the rows that queries give.</summary>
internal sealed class CountingStore : IStore, ITables, IAsyncDisposable
{
    private readonly SqliteStore _store = SqliteStore.Open(":memory:", TimeProvider.System);

    public int RowsRead { get; set; }

    /// <summary>Reads and commits.</summary>
    public int Operations { get; private set; }

    public bool IsWhole => _store.IsWhole;

    public ITables Tables => this;

    public IWorkQueues Queues => _store.Queues;

    public IBodies Bodies => _store.Bodies;

    public ValueTask PingAsync(CancellationToken cancellation = default) => _store.PingAsync(cancellation);

    public ValueTask<Entity?> GetAsync(
        string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation = default)
    {
        Operations++;
        return _store.Tables.GetAsync(table, partitionKey, rowKey, only, cancellation);
    }

    public async ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only = null,
        CancellationToken cancellation = default)
    {
        Operations++;
        var rows = await _store.Tables.QueryAsync(table, partitionKey, range, take, only, cancellation);
        RowsRead += rows.Count;
        return rows;
    }

    public ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation = default)
    {
        Operations++;
        return _store.Tables.CommitAsync(commit, cancellation);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}
