using System.Runtime.CompilerServices;
using FuncStash.Storage;

namespace FuncStash.DeadLetters;

/// <summary>Lists dead letters in the order of their failure, or against it.</summary>
public sealed class DeadLetterReader(DeadLetterStore letters)
{
    private const int PageSize = 100;

    public async ValueTask<DeadLetterPage> ListAsync(DeadLetterQuery query, CancellationToken cancellation = default)
    {
        if (query.Ids is { } ids)
            return new DeadLetterPage(await GetAsync(ids, cancellation), null);
        var found = new List<DeadLetter>();
        await foreach (var letter in ScanAsync(query, cancellation))
        {
            if (!query.Matches(letter))
                continue;
            if (found.Count == query.Count)
                return new DeadLetterPage(found, found[^1].Id.ToString());
            found.Add(letter);
        }
        return new DeadLetterPage(found, null);
    }

    private async ValueTask<List<DeadLetter>> GetAsync(IReadOnlyList<DlqId> ids, CancellationToken cancellation)
    {
        var found = new List<DeadLetter>();
        foreach (var id in ids)
        {
            if (await letters.GetAsync(id, cancellation) is { } letter)
                found.Add(letter);
        }
        return found;
    }

    // Merges the shards, each of which is in order.
    private async IAsyncEnumerable<DeadLetter> ScanAsync(
        DeadLetterQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var order = StringComparer.Ordinal;
        var heads = new PriorityQueue<IAsyncEnumerator<DeadLetter>, string>(
            query.LatestFirst ? Comparer<string>.Create((a, b) => order.Compare(b, a)) : order);
        var shards = Enumerable.Range(0, DlqId.Shards)
            .Select(shard => ShardAsync(query, shard, cancellation).GetAsyncEnumerator(cancellation)).ToList();
        try
        {
            foreach (var shard in shards)
            {
                if (await shard.MoveNextAsync())
                    heads.Enqueue(shard, shard.Current.Id.Key);
            }
            while (heads.TryDequeue(out var head, out _))
            {
                yield return head.Current;
                if (await head.MoveNextAsync())
                    heads.Enqueue(head, head.Current.Id.Key);
            }
        }
        finally
        {
            foreach (var shard in shards)
                await shard.DisposeAsync();
        }
    }

    private IAsyncEnumerable<DeadLetter> ShardAsync(DeadLetterQuery query, int shard, CancellationToken cancellation)
    {
        var (from, exclusive, to) = query.Keys;
        var range = new RowRange(from, to, exclusive);
        return query.LatestFirst ? LatestFirst(shard, range, cancellation) : EarliestFirst(shard, range, cancellation);
    }

    private async IAsyncEnumerable<DeadLetter> EarliestFirst(
        int shard, RowRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var page = await letters.PageAsync(shard, range, PageSize, cancellation);
            foreach (var letter in page)
                yield return letter;
            if (page.Count < PageSize)
                yield break;
            range = range with { From = page[^1].Id.Key, Exclusive = true };
        }
    }

    // Rows sort oldest first and are read in no other order: their keys first, then the rows from the last keys on.
    private async IAsyncEnumerable<DeadLetter> LatestFirst(
        int shard, RowRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var keys = await letters.KeysAsync(shard, range, cancellation);
        for (var end = keys.Count; end > 0; end -= PageSize)
        {
            var start = Math.Max(0, end - PageSize);
            var page = await letters.PageAsync(shard, new RowRange(keys[start], keys[end - 1] + "~"), PageSize * 2, cancellation);
            for (var i = page.Count - 1; i >= 0; i--)
                yield return page[i];
        }
    }
}
