using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>The names of the gates there are, in order, so that lists need not scan.</summary>
internal static class GateIndex
{
    private const string Table = "gatenames";
    private const int PageSize = 500;

    public static async ValueTask AddAsync(ITables tables, GateKind kind, string name) => await tables.CommitAsync(
        new Commit(Table, Partition(kind), [new Write.Upsert(new Entity(Partition(kind), name, new Dictionary<string, object>()))]));

    public static async ValueTask RemoveAsync(ITables tables, GateKind kind, string name) =>
        await tables.CommitAsync(new Commit(Table, Partition(kind), [new Write.Delete(name, null)]));

    public static async ValueTask<IReadOnlyList<string>> ListAsync(ITables tables, GateKind kind, CancellationToken cancellation)
    {
        var names = new List<string>();
        var range = RowRange.Prefix("");
        while (true)
        {
            var page = await tables.QueryAsync(Table, Partition(kind), range, PageSize, keysOnly: true, cancellation);
            names.AddRange(page.Select(row => row.RowKey));
            if (page.Count < PageSize)
                return names;
            range = RowRange.PrefixAfter("", page[^1].RowKey);
        }
    }

    private static string Partition(GateKind kind) => kind == GateKind.Queue ? "queues" : "flowkeys";
}
