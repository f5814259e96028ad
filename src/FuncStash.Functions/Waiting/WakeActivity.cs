using FuncStash.Waiting;
using Microsoft.Azure.Functions.Worker;

namespace FuncStash.Functions.Waiting;

/// <summary>What to wake.</summary>
/// <param name="Minute">The start of the minute, in unix milliseconds.</param>
/// <param name="Shard">Which of its buckets; null for all of them.</param>
public sealed record BucketToWake(long Minute, int? Shard);

/// <summary>Lets the service wake a bucket.</summary>
/// <remarks>Durable may run it twice, on two machines: a bucket is claimed, and the second finds it empty or leaves it alone.</remarks>
public sealed class WakeActivity(Buckets buckets, BucketWaker waker)
{
    public const string Name = "WakeBucket";

    /// <returns>The other shards to wake: asked for all, it wakes one, so that a minute with one bucket takes one activity.</returns>
    [Function(Name)]
    public async Task<int[]> RunAsync([ActivityTrigger] BucketToWake what)
    {
        IReadOnlyList<Bucket> all = what.Shard is { } shard
            ? [new Bucket(what.Minute, shard)]
            : await buckets.OfMinuteAsync(what.Minute);
        if (all.Count > 1)
            return [.. all.Select(bucket => bucket.Shard)];
        // Its machine's clock is behind, so the orchestration comes again.
        if (all.Count == 1 && await waker.WakeAsync(all[0]) == Waking.Early)
            throw new InvalidOperationException($"the clock of this machine is behind: the alarm of {MinuteAlarm.TextOf(what.Minute)} rang");
        return [];
    }
}
