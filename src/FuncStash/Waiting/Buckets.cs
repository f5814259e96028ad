using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>Keeps what waits for longer than the work queue should hold it: a row each, in the bucket of its due minute.</summary>
/// <remarks>The rows are the truth, and whatever wakes them only looks. The ticket of a row whose step was not stored makes no attempt.</remarks>
public sealed class Buckets(ITables tables, TimeProvider time, Random random)
{
    private const int MaxKnown = 10_000;

    private readonly BucketSpread _spread = new(time, random);

    // Buckets that this process has named in the index.
    private readonly ConcurrentDictionary<Bucket, bool> _known = new();

    /// <summary>Writes deliveries into the bucket of their minute. The same one written twice is there once.</summary>
    /// <returns>Those for which it was too late, since the bucket may have been woken before they were there.</returns>
    internal async ValueTask<IReadOnlyList<PlannedDelivery>> AddAsync(
        long minute, IReadOnlyList<PlannedDelivery> deliveries, CancellationToken cancellation)
    {
        var late = new List<PlannedDelivery>();
        foreach (var some in deliveries.Distinct().Chunk(Commit.MaxWrites))
        {
            var bucket = new Bucket(minute, _spread.Next(minute, some.Length));
            await NameAsync(bucket, cancellation);
            var partition = BucketRows.Partition(bucket);
            Write[] writes = [.. some.Select(delivery => new Write.Upsert(BucketRows.ToRow(partition, delivery)))];
            await tables.CommitAsync(new Commit(BucketRows.Table, partition, writes), cancellation);
            if (WaitTimes.IsAhead(minute, time.GetUtcNow().ToUnixTimeMilliseconds()))
                continue;
            foreach (var delivery in some)
            {
                if (await TakeBackAsync(partition, delivery, cancellation))
                    late.Add(delivery);
            }
        }
        return late;
    }

    // False when its ticket was sent already.
    private async ValueTask<bool> TakeBackAsync(string partition, PlannedDelivery delivery, CancellationToken cancellation)
    {
        Write write = new Write.Delete(BucketRows.ToRow(partition, delivery).RowKey, null);
        return (await tables.CommitAsync(new Commit(BucketRows.Table, partition, [write]), cancellation)).Applied;
    }

    // Before the first row: a bucket that the index does not name is looked at by nobody.
    private async ValueTask NameAsync(Bucket bucket, CancellationToken cancellation)
    {
        if (_known.ContainsKey(bucket))
            return;
        Write write = new Write.Upsert(BucketRows.ToIndexRow(bucket));
        await tables.CommitAsync(new Commit(BucketRows.Table, BucketRows.Index, [write]), cancellation);
        if (_known.Count >= MaxKnown)
            _known.Clear();
        _known[bucket] = true;
    }

    /// <summary>The buckets of minutes up to <paramref name="until"/> (unix ms), earliest first.</summary>
    internal async IAsyncEnumerable<Bucket> ListAsync(long until, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var range = new RowRange("", WaitTimes.TextOf(until + WaitTimes.MinuteMs));
        await foreach (var row in new RowPages(tables, BucketRows.Table, BucketRows.Index, range, only: []).AllAsync(cancellation))
            yield return BucketRows.FromIndexKey(row.RowKey);
    }

    /// <summary>When what waits for a minute is to be woken: a minute before it (both unix ms).</summary>
    public static long AlarmOf(long minute) => WaitTimes.AlarmOf(minute);

    /// <summary>The buckets of one minute.</summary>
    public async ValueTask<IReadOnlyList<Bucket>> OfMinuteAsync(long minute, CancellationToken cancellation = default)
    {
        var range = RowRange.Prefix(WaitTimes.TextOf(minute));
        var rows = await tables.QueryAsync(BucketRows.Table, BucketRows.Index, range, BucketSpread.Shards, only: [], cancellation);
        return [.. rows.Select(row => BucketRows.FromIndexKey(row.RowKey))];
    }

    /// <summary>Takes an empty bucket off the index.</summary>
    internal async ValueTask ForgetAsync(Bucket bucket, CancellationToken cancellation)
    {
        _known.TryRemove(bucket, out _);
        // One that somebody took and had no more use for.
        Write claim = new Write.Delete(BucketRows.Claim, null), write = new Write.Delete(BucketRows.IndexKey(bucket), null);
        await tables.CommitAsync(new Commit(BucketRows.Table, BucketRows.Partition(bucket), [claim]), cancellation);
        await tables.CommitAsync(new Commit(BucketRows.Table, BucketRows.Index, [write]), cancellation);
    }

    /// <summary>The keys of a bucket's first rows, or of those after one; with the claim's row they make one commit.</summary>
    internal async ValueTask<IReadOnlyList<string>> KeysAsync(Bucket bucket, string? after, CancellationToken cancellation)
    {
        var range = after is null ? BucketRows.Deliveries : BucketRows.Deliveries with { From = after, Exclusive = true };
        var rows = await tables.QueryAsync(
            BucketRows.Table, BucketRows.Partition(bucket), range, Commit.MaxWrites - 1, only: [], cancellation);
        return [.. rows.Select(row => row.RowKey)];
    }
}
