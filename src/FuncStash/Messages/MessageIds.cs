namespace FuncStash.Messages;

/// <summary>Makes message ids, each one later in order than the one made before it by this process.</summary>
public sealed class MessageIds(TimeProvider time)
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
        var random = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        return MessageId.Create(ms, counter, shard is { } s ? (random & 0xFFFF_FFFF_FFFF) | ((ulong)s << 48) : random);
    }
}
