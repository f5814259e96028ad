using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>Where the sweep stopped at its limit: whoever has its next turn goes on there, whichever process that is.</summary>
internal sealed class SweepPlace(ITables tables)
{
    private const string Partition = "sweep", PlaceRow = "place";

    /// <summary>Where it stopped: after a row of a partition, of which it had begun with the row <paramref name="Top"/> (null where that is not known).</summary>
    public sealed record Stop(string Partition, string Row, string? Top);

    /// <summary>Null where a sweep begins anew.</summary>
    public async ValueTask<Stop?> ReadAsync(CancellationToken cancellation) =>
        await tables.GetAsync(UpkeepTurns.Table, Partition, PlaceRow, cancellation) is { } row
        && row.Text("Partition") is { } partition && row.Text("Row") is { } last
            ? new Stop(partition, last, row.Text("Top"))
            : null;

    public async ValueTask WriteAsync(Stop? stop, CancellationToken cancellation)
    {
        var values = new Dictionary<string, object>();
        if (stop is not null)
            (values["Partition"], values["Row"], values["Top"]) = (stop.Partition, stop.Row, stop.Top!);
        var row = new Entity(Partition, PlaceRow, values);
        await tables.CommitAsync(new Commit(UpkeepTurns.Table, Partition, [new Write.Upsert(row)]), cancellation);
    }
}
