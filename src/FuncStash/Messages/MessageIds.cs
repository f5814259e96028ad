namespace FuncStash.Messages;

/// <summary>Makes message ids, each one later in order than the one made before it by this process, while its clock goes on.</summary>
/// <remarks>Order does not hang on it: a queue has an order of its own. So a clock that is set back is followed.</remarks>
/// <param name="time">The clock.</param>
/// <param name="shards">Among how many shards of a day they are spread, 1 to <see cref="MessageId.Shards"/>.</param>
public sealed class MessageIds(TimeProvider time, int shards)
{
    // Clocks are put right in small steps all the time. Beyond that an id would say a time that is long in coming.
    private const long MostAheadMs = 500;

    private readonly Lock _lock = new();
    private long _lastMs;
    private int _counter;

    /// <param name="shard">
    /// The partition among its day's, for messages that are to be stored together; null spreads them.
    /// </param>
    /// <param name="now">The time, in unix milliseconds, where the caller has looked at the clock already.</param>
    /// <returns>An id of that time, or of half a second later at the most.</returns>
    public MessageId Next(int? shard = null, long? now = null)
    {
        long ms;
        int counter;
        lock (_lock)
        {
            var at = now ?? time.GetUtcNow().ToUnixTimeMilliseconds();
            // A clock set back a little, or more than 65,536 ids in one millisecond, borrows from the next millisecond.
            if (at > _lastMs || at < _lastMs - MostAheadMs)
                (_lastMs, _counter) = (at, 0);
            else if (++_counter > ushort.MaxValue)
                (_lastMs, _counter) = (_lastMs + 1, 0);
            (ms, counter) = (_lastMs, _counter);
        }
        var random = (ulong)Random.Shared.NextInt64(1L << 48);
        return MessageId.Create(ms, counter, random | ((ulong)(shard ?? AnyShard()) << 48));
    }

    /// <summary>A shard for messages that are to be stored together.</summary>
    public int AnyShard() => Random.Shared.Next(shards);

    /// <summary>The shard for part <paramref name="index"/> of a batch.</summary>
    public int ShardOf(int index) => index % shards;
}
