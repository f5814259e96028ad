using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>The message that is due longest of those that wait, in a line or for a worker.</summary>
/// <param name="Id">The message; null when none waits that is due.</param>
/// <param name="DueAt">Since when it is due, in unix milliseconds.</param>
/// <param name="IsPart">True when there are more messages than were looked at.</param>
public sealed record OldestDue(MessageId? Id, long DueAt, bool IsPart);

/// <summary>Finds the message that is due longest, without reading what was published.</summary>
public sealed class OldestDueReader(IStore store, TimeProvider time)
{
    private const int MostOfPartition = 250;
    private static readonly string[] s_values = ["State", "DueAt"];

    /// <summary>Looks at up to so many of those that have not ended, oldest day first.</summary>
    public async ValueTask<OldestDue> ReadAsync(int most, CancellationToken cancellation = default)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var (oldest, looked, isPart) = (new OldestDue(null, now, false), 0, false);
        foreach (var day in await Days.ListAsync(store.Tables, cancellation))
        {
            if (looked >= most)
                return oldest with { IsPart = true };
            var shards = await Task.WhenAll(Enumerable.Range(0, MessageId.Shards).Select(shard => store.Tables.QueryAsync(
                MessageRows.Table, MessageRows.Partition(day, shard), RowRange.Prefix(MessageRows.Live), MostOfPartition, s_values, cancellation).AsTask()));
            looked += shards.Sum(rows => rows.Count);
            isPart |= shards.Any(rows => rows.Count == MostOfPartition);
            foreach (var row in shards.SelectMany(rows => rows))
            {
                if (row.Number("DueAt") is { } due && due < oldest.DueAt && row.Text("State") != MessageState.Active.Wire())
                    oldest = oldest with { Id = MessageRows.IdOf(row.RowKey), DueAt = due };
            }
        }
        return oldest with { IsPart = isPart };
    }
}
