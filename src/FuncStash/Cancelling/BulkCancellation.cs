using FuncStash.Messages;

namespace FuncStash.Cancelling;

/// <summary>Cancels many messages, some side by side (protocol#bulk-cancel). Only those that were cancelled by it count.</summary>
public sealed class BulkCancellation(LiveMessages live, Cancellation cancellation)
{
    private const int SideBySide = 32;

    public async ValueTask<int> CancelAsync(IEnumerable<MessageId> ids, CancellationToken stop = default)
    {
        var cancelled = 0;
        foreach (var some in ids.Distinct().Chunk(SideBySide))
            cancelled += await CancelSomeAsync(some, stop);
        return cancelled;
    }

    /// <summary>Cancels the live messages a filter is about, <paramref name="max"/> at most.</summary>
    public async ValueTask<int> CancelAsync(MessageFilter filter, int max, CancellationToken stop = default)
    {
        var cancelled = 0;
        var some = new List<MessageId>(SideBySide);
        await foreach (var id in live.FindAsync(filter, stop))
        {
            some.Add(id);
            // One that has ended meanwhile leaves room for another.
            if (some.Count < Math.Min(SideBySide, max - cancelled))
                continue;
            cancelled += await CancelSomeAsync(some, stop);
            some.Clear();
            if (cancelled >= max)
                return cancelled;
        }
        return cancelled + await CancelSomeAsync(some, stop);
    }

    private async ValueTask<int> CancelSomeAsync(IEnumerable<MessageId> ids, CancellationToken stop) =>
        (await Task.WhenAll(ids.Select(id => cancellation.CancelAsync(id, stop).AsTask()))).Count(done => done);
}
