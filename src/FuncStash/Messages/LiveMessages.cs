using System.Runtime.CompilerServices;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>Finds the messages that have not ended, whichever partition holds them.</summary>
public sealed class LiveMessages(IStore store)
{
    /// <summary>
    /// The messages a filter is about, its dates bounding their creation; oldest partition first. One that ends while the
    /// search is under way may or may not be among them. Those of workflow runs are their runs' affair.
    /// </summary>
    public async IAsyncEnumerable<MessageId> FindAsync(
        MessageFilter filter, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        // Keys tell the creation; only conditions on the message itself need its row.
        IReadOnlyList<string> only = filter.HasConditions ? MessageRows.Listed : [];
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
            var shards = Enumerable.Range(0, MessageId.Shards)
                .Select(shard => new RowPages(store.Tables, MessageRows.Table, MessageRows.Partition(day, shard), range, only)).ToList();
            var first = await Task.WhenAll(shards.Select(pages => pages.NextAsync(cancellation).AsTask()));
            foreach (var (start, pages) in first.Zip(shards))
            {
                for (var page = start; page.Count > 0; page = await pages.NextAsync(cancellation))
                {
                    foreach (var row in page)
                    {
                        var id = MessageRows.IdOf(row.RowKey);
                        if (!id.IsOfRun
                            && (!filter.HasConditions || (MessageRows.TryListedFromRow(row) is { } message && filter.Matches(message))))
                            yield return id;
                    }
                }
            }
        }
    }
}
