using System.Buffers;
using System.Globalization;
using FuncStash.Sqlite.Queues;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Sqlite.Entities;

/// <summary>Rows. A commit runs to its end once begun.</summary>
internal sealed class SqliteTables(Readers readers, Writer writer, SqliteWorkQueues queues, EntityCache cache) : ITables
{
    private const int StackBytes = 512;

    public ValueTask<Entity?> GetAsync(
        string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var size = EntityKey.MaxBytes(table, partitionKey, rowKey);
        var key = size <= StackBytes ? stackalloc byte[StackBytes] : new byte[size];
        key = key[..EntityKey.Write(table, partitionKey, rowKey, key)];
        if (cache.TryGet(key, out var version, out var data))
            return new(Read(partitionKey, rowKey, version, only is null ? new EntityValues(data) : EntityFormat.Read(data, only)));
        cache.Want(key);
        return readers.ReadAsync(
            (Tables: this, Key: key.ToArray(), partitionKey, rowKey, only),
            static row => row.Tables.Find(row.Key, row.partitionKey, row.rowKey, row.only), cancellation);
    }

    public ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only = null,
        CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return readers.ReadAsync(
            (Tables: this, table, partitionKey, range, take, only),
            static IReadOnlyList<Entity> (q) => q.Tables.Query(q.table, q.partitionKey, q.range, q.take, q.only), cancellation);
    }

    public ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        var sends = commit.Sends.Count == 0 ? null : queues.Prepare(commit.Sends);
        var lease = commit.LeaseEnd is { } end ? SqliteWorkQueues.Prepare(end) : null;
        var operation = new CommitOperation(new EntityWrites(commit), sends, lease);
        writer.Submit(operation);
        return operation.Task;
    }

    private Entity? Find(byte[] key, string partitionKey, string rowKey, IReadOnlyList<string>? only)
    {
        using var loan = readers.Lend();
        var find = loan.Reader.Entity.BindText(1, key);
        if (!find.Step())
            return null;
        try
        {
            return Read(partitionKey, rowKey, find.Number(0), EntityFormat.Read(find.Bytes(1), only));
        }
        finally
        {
            find.Reset();
        }
    }

    private List<Entity> Query(string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only)
    {
        var size = EntityKey.MaxBytes(table, partitionKey, range.From) + 3 * (range.To?.Length ?? 0);
        var buffer = ArrayPool<byte>.Shared.Rent(2 * size);
        try
        {
            Span<byte> from = buffer.AsSpan(0, size), to = buffer.AsSpan(size);
            var (fromLength, toLength) = EntityKey.WriteRange(table, partitionKey, range, from, to);
            using var loan = readers.Lend();
            var query = only is { Count: 0 } ? loan.Reader.Keys : loan.Reader.Entities;
            query.BindText(1, from[..fromLength]).BindText(2, to[..toLength]).Bind(3, take);
            return ReadAll(query, partitionKey, only);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static List<Entity> ReadAll(Statement query, string partitionKey, IReadOnlyList<string>? only)
    {
        var rows = new List<Entity>();
        try
        {
            while (query.Step())
                rows.Add(Read(
                    partitionKey, EntityKey.Row(query.Bytes(0)), query.Number(1),
                    only is { Count: 0 } ? EntityValues.None : EntityFormat.Read(query.Bytes(2), only)));
        }
        finally
        {
            query.Reset();
        }

        return rows;
    }

    private static Entity Read(string partitionKey, string rowKey, long version, EntityValues values) =>
        new(partitionKey, rowKey, values) { ETag = version.ToString(CultureInfo.InvariantCulture) };
}
