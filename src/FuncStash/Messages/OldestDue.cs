using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>The message that is due longest of those that wait, in a line or for a worker.</summary>
/// <param name="Id">The message; null when none waits that is due.</param>
/// <param name="DueAt">Since when it is due, in unix milliseconds; now where none is.</param>
/// <param name="IsPart">True when there are more messages than were looked at.</param>
public sealed record OldestDue(MessageId? Id, long DueAt, bool IsPart);

/// <summary>
/// Finds the message that is due longest, without reading what was published, in so many storage operations whatever is kept:
/// the older ones by the <see cref="Watchlist"/>, those that are not on it yet by their rows.
/// </summary>
/// <remarks>The callback of a message of an earlier day comes to the list within an hour.</remarks>
public sealed class OldestDueReader(IStore store, Watchlist watch, TimeProvider time)
{
    private const int MostEntries = 1_000, MostYoung = 250, MostLooked = 48, AtOnce = 16;
    private static readonly string[] s_values = ["State", "DueAt"];

    /// <param name="cancellation">Stops the look.</param>
    public async ValueTask<OldestDue> ReadAsync(CancellationToken cancellation = default)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var today = MessageId.DayOf(now);
        var young = await Task.WhenAll(YoungAsync(today, cancellation), YoungAsync(today - 1, cancellation));
        var oldest = young.Aggregate(new OldestDue(null, now, false), (best, rows) => rows.Aggregate(best, Earlier));
        var shards = await Task.WhenAll(Enumerable.Range(0, MessageId.Shards).Select(shard => watch.FirstAsync(shard, MostEntries, cancellation).AsTask()));
        var isPart = shards.Any(entries => entries.Count == MostEntries)
            || young.Any(rows => rows.CountBy(row => row.PartitionKey).Any(each => each.Value == MostYoung));
        // An entry says when it is due at the earliest; that it still waits, its row does.
        var entries = shards.SelectMany(each => each).Where(entry => entry.DueAt < now).OrderBy(entry => entry.DueAt).ToList();
        for (var looked = 0; looked < entries.Count && entries[looked].DueAt < oldest.DueAt; looked += AtOnce)
        {
            if (looked >= MostLooked)
                return oldest with { IsPart = true };
            var rows = await Task.WhenAll(entries.Skip(looked).Take(AtOnce).Select(entry => RowAsync(entry.Id, cancellation)));
            oldest = rows.OfType<Entity>().Aggregate(oldest, Earlier);
        }
        return oldest with { IsPart = isPart };
    }

    private static OldestDue Earlier(OldestDue oldest, Entity row) =>
        row.Number("DueAt") is { } due && due < oldest.DueAt && row.Text("State") != MessageState.Active.Wire()
            ? oldest with { Id = MessageRows.IdOf(row.RowKey), DueAt = due }
            : oldest;

    // The live messages of a day that are not on the list yet, newest first.
    private async Task<IReadOnlyList<Entity>> YoungAsync(int day, CancellationToken cancellation)
    {
        var entered = await watch.EnteredAsync(day, cancellation);
        var shards = await Task.WhenAll(Enumerable.Range(0, MessageId.Shards).Select(shard => MessageRows.Partition(day, shard)).Select(partition =>
        {
            var live = RowRange.Prefix(MessageRows.Live);
            return store.Tables.QueryAsync(
                MessageRows.Table, partition, live with { To = entered.GetValueOrDefault(partition) ?? live.To }, MostYoung, s_values, cancellation).AsTask();
        }));
        return [.. shards.SelectMany(rows => rows)];
    }

    private Task<Entity?> RowAsync(MessageId id, CancellationToken cancellation) => store.Tables.GetAsync(
        MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(MessageRows.Live, id), s_values, cancellation).AsTask();
}
