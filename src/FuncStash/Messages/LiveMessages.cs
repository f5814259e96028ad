using System.Runtime.CompilerServices;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>Finds the messages that have not ended, whichever partition holds them.</summary>
public sealed class LiveMessages(IStore store)
{
    private const int PageSize = 128;

    /// <summary>
    /// The messages a filter is about, its dates bounding their creation; oldest partition first. One that ends while the
    /// search is under way may or may not be among them.
    /// </summary>
    public async IAsyncEnumerable<MessageId> FindAsync(
        MessageFilter filter, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // Keys tell the creation; only conditions on the message itself need its row.
        var keysOnly = !filter.HasConditions;
        var range = new RowRange(
            MessageRows.Live + LogPosition.At(filter.ToDate ?? long.MaxValue),
            filter.FromDate is { } from and > 0
                ? MessageRows.Live + LogPosition.At(from - 1)
                : RowRange.Prefix(MessageRows.Live).To);
        foreach (var day in await Days.ListAsync(store.Tables, cancellation))
        {
            // A follower lies in an older day's partition than its creation's, never in a younger one's.
            if (filter.ToDate is { } to && day > MessageId.DayOf(to))
                yield break;
            var first = await Task.WhenAll(Enumerable.Range(0, MessageId.Shards)
                .Select(shard => PageAsync(MessageRows.Partition(day, shard), range)));
            foreach (var start in first)
            {
                var page = start;
                while (true)
                {
                    foreach (var row in page)
                    {
                        if (keysOnly || filter.Matches(MessageRows.FromRow(row).Message))
                            yield return MessageRows.IdOf(row.RowKey);
                    }
                    if (page.Count < PageSize)
                        break;
                    page = await PageAsync(page[^1].PartitionKey, range with { From = page[^1].RowKey, Exclusive = true });
                }
            }
        }

        Task<IReadOnlyList<Entity>> PageAsync(string partition, RowRange rows) =>
            store.Tables.QueryAsync(MessageRows.Table, partition, rows, PageSize, keysOnly, cancellation).AsTask();
    }
}
