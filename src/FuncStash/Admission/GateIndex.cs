using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>The names of the gates there are, in order, so that lists need not scan.</summary>
/// <remarks>
/// A gate's name is added before its row, and removed after its row, at the version it had before that. So a gate has its
/// name here whoever died between two calls, and what can be left behind is a name without a gate, which the sweep removes.
/// </remarks>
internal static class GateIndex
{
    private const string Table = "gatenames";

    /// <param name="now">Unix milliseconds.</param>
    public static async ValueTask AddAsync(ITables tables, GateKind kind, string name, long now) => await tables.CommitAsync(
        new Commit(Table, Partition(kind),
            [new Write.Upsert(new Entity(Partition(kind), name, new Dictionary<string, object> { ["AddedAt"] = now }))]));

    /// <summary>The entry of a name; null when there is none.</summary>
    public static ValueTask<Entity?> FindAsync(ITables tables, GateKind kind, string name, CancellationToken cancellation) =>
        tables.GetAsync(Table, Partition(kind), name, cancellation);

    /// <summary>Whether an entry is so old that whoever added it has added the gate too, or died.</summary>
    public static bool IsOld(Entity entry, long now) => now - (entry.Number("AddedAt") ?? 0) > 3_600_000;

    /// <summary>Removes an entry, unless it was added again since it was read.</summary>
    public static async ValueTask RemoveAsync(ITables tables, Entity entry, CancellationToken cancellation) =>
        await tables.CommitAsync(new Commit(Table, entry.PartitionKey, [new Write.Delete(entry.RowKey, entry.ETag)]), cancellation);

    /// <summary>The names, in order.</summary>
    public static IAsyncEnumerable<string> ListAsync(ITables tables, GateKind kind, CancellationToken cancellation) =>
        new RowPages(tables, Table, Partition(kind), RowRange.Prefix(""), only: []).AllAsync(cancellation).Select(row => row.RowKey);

    private static string Partition(GateKind kind) => kind == GateKind.Queue ? "queues" : "flowkeys";
}
