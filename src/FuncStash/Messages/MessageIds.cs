namespace FuncStash.Messages;

/// <summary>Makes message ids, each one later in order than the one made before it by this process.</summary>
/// <param name="time">The clock.</param>
/// <param name="shards">Among how many shards of a day they are spread, 1 to <see cref="MessageId.Shards"/>.</param>
public sealed class MessageIds(TimeProvider time, int shards)
{
    private readonly Lock _lock = new();
    private long _lastMs;
    private int _counter;

    /// <param name="shard">
    /// The partition among its day's, for messages that are to be stored together; null spreads them.
    /// </param>
    public MessageId Next(int? shard = null)
    {
        long ms;
        int counter;
        lock (_lock)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            // A clock set back, or more than 65,536 ids in one millisecond, borrows from the next millisecond.
            if (now > _lastMs)
                (_lastMs, _counter) = (now, 0);
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
