using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>Where the sweep stopped at its limit: whoever has its next turn goes on there, whichever process that is.</summary>
internal sealed class SweepPlace(ITables tables)
{
    private const string Partition = "sweep", Row = "place";

    /// <summary>The partition and the row that were looked at last; null where a sweep begins anew.</summary>
    public async ValueTask<(string Partition, string Row)?> ReadAsync(CancellationToken cancellation) =>
        await tables.GetAsync(UpkeepTurns.Table, Partition, Row, cancellation) is { } row
        && row.Text("Partition") is { } partition && row.Text("Row") is { } last
            ? (partition, last)
            : null;

    public async ValueTask WriteAsync((string Partition, string Row)? place, CancellationToken cancellation)
    {
        var values = new Dictionary<string, object>();
        if (place is { } stopped)
            (values["Partition"], values["Row"]) = (stopped.Partition, stopped.Row);
        var row = new Entity(Partition, Row, values);
        await tables.CommitAsync(new Commit(UpkeepTurns.Table, Partition, [new Write.Upsert(row)]), cancellation);
    }
}
