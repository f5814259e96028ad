namespace FuncStash.Waiting;

/// <summary>Over how many shards this process spreads what it writes to one minute.</summary>
/// <remarks>
/// A partition of an Azure table takes 2,000 rows a second, from all processes together, and what waits in one is sent by one
/// activity. So a process that writes fast spreads; while all are slow, a minute is one partition and costs one look.
/// </remarks>
internal sealed class BucketSpread(TimeProvider time, Random random)
{
    /// <summary>The most shards of a minute.</summary>
    public const int Shards = 16;

    /// <summary>So many rows a second a process writes to the first shard of a minute; twenty processes may do so.</summary>
    public const int Calm = 100;

    private const int MaxMinutes = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, (long Second, int Rows)> _minutes = [];

    /// <summary>The shard for the next rows of a minute.</summary>
    public int Next(long minute, int rows)
    {
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        lock (_lock)
        {
            if (_minutes.Count >= MaxMinutes && !_minutes.ContainsKey(minute))
                _minutes.Clear();
            var before = _minutes.TryGetValue(minute, out var known) && known.Second == second ? known.Rows : 0;
            _minutes[minute] = (second, before + rows);
            return before < Calm ? 0 : random.Next(Shards);
        }
    }
}
