using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>The claim of whoever wakes a bucket: one at a time, so that no ticket is sent twice while all goes well.</summary>
/// <remarks>
/// It says up to which row tickets may have been sent, before any of them is. Whoever takes over the claim of a waker that
/// died knows by it which tickets may be on their way already.
/// </remarks>
internal sealed class BucketClaim
{
    /// <summary>How long a claim holds; a waker sends a hundred tickets in it and then renews it.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(30);

    private readonly ITables _tables;
    private readonly TimeProvider _time;
    private readonly string _partition;
    private string _etag;

    private BucketClaim(ITables tables, TimeProvider time, string partition, string etag, string? doubt) =>
        (_tables, _time, _partition, _etag, Doubt) = (tables, time, partition, etag, doubt);

    /// <summary>The tickets of rows up to this key may have been sent by somebody else; null where none was.</summary>
    public string? Doubt { get; }

    /// <summary>Claims a bucket in order to send the tickets of rows up to a key.</summary>
    /// <returns>Null while somebody else has it.</returns>
    public static async ValueTask<BucketClaim?> TryTakeAsync(
        ITables tables, Bucket bucket, string upTo, TimeProvider time, CancellationToken cancellation)
    {
        var partition = BucketRows.Partition(bucket);
        var before = await tables.GetAsync(BucketRows.Table, partition, BucketRows.Claim, cancellation);
        var left = before?.Number("Until") - time.GetUtcNow().ToUnixTimeMilliseconds();
        // One that ends later than any can is of a clock that was ahead.
        if (left > 0 && left <= Length.TotalMilliseconds + Settings.Clocks.SkewMs)
            return null;
        var doubt = before?.Text("UpTo");
        if (string.CompareOrdinal(doubt, upTo) > 0)
            upTo = doubt!;
        var row = Row(partition, upTo, time.GetUtcNow() + Length);
        Write write = before is null ? new Write.Insert(row) : new Write.Replace(row, before.ETag!);
        var result = await tables.CommitAsync(new Commit(BucketRows.Table, partition, [write]), cancellation);
        return result.Applied ? new BucketClaim(tables, time, partition, result.ETags[0], doubt) : null;
    }

    /// <summary>Removes rows whose tickets are on their way, and goes on to those up to a key, or gives the claim back.</summary>
    /// <param name="done">The rows.</param>
    /// <param name="upTo">Null when no more are to be sent.</param>
    /// <param name="cancellation">Stops the call.</param>
    /// <returns>False when somebody else has taken over meanwhile.</returns>
    public async ValueTask<bool> GoOnAsync(IEnumerable<string> done, string? upTo, CancellationToken cancellation)
    {
        List<Write> writes = [upTo is null
            ? new Write.Delete(BucketRows.Claim, _etag)
            : new Write.Replace(Row(_partition, upTo, _time.GetUtcNow() + Length), _etag)];
        writes.AddRange(done.Select(key => new Write.Delete(key, null)));
        var result = await _tables.CommitAsync(new Commit(BucketRows.Table, _partition, writes), cancellation);
        if (result.Applied)
            _etag = result.ETags[0];
        return result.Applied;
    }

    /// <summary>Gives the claim back, with rows left of which it is not known whether their tickets were sent.</summary>
    public async ValueTask LeaveAsync(IEnumerable<string> done, string doubt, CancellationToken cancellation)
    {
        List<Write> writes = [new Write.Replace(Row(_partition, doubt, DateTimeOffset.UnixEpoch), _etag)];
        writes.AddRange(done.Select(key => new Write.Delete(key, null)));
        await _tables.CommitAsync(new Commit(BucketRows.Table, _partition, writes), cancellation);
    }

    private static Entity Row(string partition, string upTo, DateTimeOffset until) => new(
        partition, BucketRows.Claim, new Dictionary<string, object> { ["UpTo"] = upTo, ["Until"] = until.ToUnixTimeMilliseconds() });
}
