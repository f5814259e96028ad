using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>The days that have partitions, so that lists and purges visit those and no others.</summary>
internal static class Days
{
    private const string Table = "days", Partition = "days";

    public static async ValueTask AddAsync(ITables tables, int day, CancellationToken cancellation)
    {
        var row = new Entity(Partition, MessageId.DayText(day), new Dictionary<string, object>());
        await tables.CommitAsync(new Commit(Table, Partition, [new Write.Upsert(row)]), cancellation);
    }

    public static async ValueTask RemoveAsync(ITables tables, int day, CancellationToken cancellation) =>
        await tables.CommitAsync(new Commit(Table, Partition, [new Write.Delete(MessageId.DayText(day), null)]), cancellation);

    /// <summary>The days in ascending order.</summary>
    public static async ValueTask<IReadOnlyList<int>> ListAsync(ITables tables, CancellationToken cancellation)
    {
        var rows = await tables.QueryAsync(Table, Partition, RowRange.Prefix(""), 10_000, only: [], cancellation);
        return [.. rows.Select(row => MessageId.DayFromText(row.RowKey))];
    }
}
