using System.Runtime.CompilerServices;
using FuncStash.Storage;

namespace FuncStash.DeadLetters;

/// <summary>Lists dead letters in the order of their failure, or against it.</summary>
public sealed class DeadLetterReader(DeadLetterStore letters, TimeProvider time)
{
    // So many keys are held of a list that is read from its end.
    private const int Stretch = 500, Page = 32;

    /// <summary>One page, as long as the query's count says; of single dead letters, all that are there.</summary>
    public async ValueTask<DeadLetterPage> ListAsync(DeadLetterQuery query, CancellationToken cancellation = default)
    {
        if (query.Ids is not null)
            return new DeadLetterPage(await ReadAsync(query, cancellation).ToListAsync(cancellation), null);
        var (found, looked) = (new List<DeadLetter>(), 0);
        await foreach (var letter in ScanAsync(query, cancellation))
        {
            if (query.Matches(letter))
            {
                if (found.Count == query.Count)
                    return new DeadLetterPage(found, found[^1].Id.ToString());
                found.Add(letter);
            }
            if (++looked >= query.MaxLooked)
                return new DeadLetterPage(found, letter.Id.ToString()) { IsCutShort = true };
        }
        return new DeadLetterPage(found, null);
    }

    /// <summary>How many the query finds, as far as its count and <see cref="DeadLetterQuery.MaxLooked"/> go; and whether there may be more.</summary>
    public async ValueTask<(int Count, bool IsMore)> CountAsync(DeadLetterQuery query, CancellationToken cancellation = default)
    {
        var (count, looked) = (0, 0);
        await foreach (var letter in ScanAsync(query, cancellation))
        {
            if (looked++ == query.MaxLooked || (query.Matches(letter) && count++ == query.Count))
                return (Math.Min(count, query.Count), true);
        }
        return (count, false);
    }

    /// <summary>All that the query finds from its start on, read as they are asked for, without payloads and responses; its count says nothing.</summary>
    public IAsyncEnumerable<DeadLetter> ReadAsync(DeadLetterQuery query, CancellationToken cancellation = default) =>
        query.Ids is { } ids
            ? LookAsync(query.After is { } after && ids.Contains(after) ? ids.SkipWhile(id => id != after).Skip(1) : ids, cancellation)
            : ScanAsync(query, cancellation).Where(query.Matches);

    private async IAsyncEnumerable<DeadLetter> LookAsync(
        IEnumerable<DlqId> ids, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var id in ids)
        {
            if (await letters.LookAsync(id, cancellation) is { } letter)
                yield return letter;
        }
    }

    /// <summary>All between the query's bounds, whether they fit or not: merges the shards, each of which is in order.</summary>
    internal async IAsyncEnumerable<DeadLetter> ScanAsync(
        DeadLetterQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var order = StringComparer.Ordinal;
        var heads = new PriorityQueue<IAsyncEnumerator<DeadLetter>, string>(
            query.LatestFirst ? Comparer<string>.Create((a, b) => order.Compare(b, a)) : order);
        var shards = Enumerable.Range(0, DlqId.Shards)
            .Select(shard => ShardAsync(query, DlqId.ShardPartition(shard, query.OfRuns), cancellation).GetAsyncEnumerator(cancellation)).ToList();
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

    private IAsyncEnumerable<DeadLetter> ShardAsync(DeadLetterQuery query, string shard, CancellationToken cancellation)
    {
        var (from, exclusive, to) = query.Keys;
        var range = new RowRange(from, to, exclusive);
        return query.LatestFirst ? LatestFirst(shard, range, cancellation) : letters.ListAsync(shard, range, cancellation);
    }

    // Rows sort oldest first and are read in no other order: where there are many, the later half of their times first.
    private async IAsyncEnumerable<DeadLetter> LatestFirst(
        string shard, RowRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var keys = await letters.KeysAsync(shard, range, Stretch + 1, cancellation);
        if (keys.Count > Stretch)
        {
            var middle = Middle(keys[0], range.To!).Key;
            await foreach (var letter in LatestFirst(shard, new RowRange(middle, range.To), cancellation))
                yield return letter;
            await foreach (var letter in LatestFirst(shard, range with { To = middle }, cancellation))
                yield return letter;
            yield break;
        }
        foreach (var some in keys.Reverse().Chunk(Page))
        {
            var rows = await letters.ListAsync(shard, new RowRange(some[^1], some[0] + "~"), cancellation).ToListAsync(cancellation);
            for (var i = rows.Count - 1; i >= 0; i--)
                yield return rows[i];
        }
    }

    // Between the two, and no later than now, after which hardly any lie.
    private DlqId Middle(string first, string end)
    {
        var (from, to) = (DlqId.Parse(first).Order, DlqId.Parse(end.TrimEnd('~')).Order);
        var now = new DlqId(Math.Clamp(time.GetUtcNow().ToUnixTimeMilliseconds(), 0, DlqId.MaxTime), 0).Order;
        return DlqId.At(from < now && now < to ? now : from + ((to - from) / 2) + 1, DlqId.Parse(first).IsOfRun);
    }
}
