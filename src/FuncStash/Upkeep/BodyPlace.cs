using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>How far the sweep of payloads has come; whichever process has its next turn goes on there.</summary>
/// <param name="Since">All that were written before this were looked at; unix milliseconds.</param>
/// <param name="Before">Up to when those of the pass under way were written, and <paramref name="After"/> where it goes on; null between passes.</param>
/// <param name="Whole">Up to when those were written that a pass over all of them looked at last; unix milliseconds.</param>
internal sealed record BodyPlace(long Since, long? Before, string? After, long Whole)
{
    /// <summary>Nothing was looked at.</summary>
    public static readonly BodyPlace Start = new(0, null, null, 0);

    private const string Partition = "bodies", PlaceRow = "place";

    public static async ValueTask<BodyPlace> ReadAsync(ITables tables, CancellationToken cancellation) =>
        await tables.GetAsync(UpkeepTurns.Table, Partition, PlaceRow, cancellation) is { } row
            ? new BodyPlace(row.Number("Since") ?? 0, row.Number("Before"), row.Text("After"), row.Number("Whole") ?? 0)
            : Start;

    public async ValueTask WriteAsync(ITables tables, CancellationToken cancellation)
    {
        var values = new Dictionary<string, object> { ["Since"] = Since, ["Whole"] = Whole };
        if (Before is { } before)
            values["Before"] = before;
        if (After is not null)
            values["After"] = After;
        var row = new Entity(Partition, PlaceRow, values);
        await tables.CommitAsync(new Commit(UpkeepTurns.Table, Partition, [new Write.Upsert(row)]), cancellation);
    }
}
