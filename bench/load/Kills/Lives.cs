namespace FuncStash.Bench.Kills;

/// <summary>Starts the server on the same data again and again, and kills it at random moments.</summary>
internal sealed class Lives(KillOptions options, Target target, Clock clock) : IDisposable
{
    private const double OfStarts = 0.08, LeastMs = 50;

    private readonly Random _random = new(options.Seed);
    private readonly List<Life> _all = [];
    private ReadyProcess? _process;

    /// <summary>All so far, by number.</summary>
    public IReadOnlyList<Life> All
    {
        get
        {
            lock (_all)
                return [.. _all];
        }
    }

    /// <summary>The latest life that names itself so to receivers.</summary>
    public int OfRegion(string region)
    {
        lock (_all)
            return _all.FindLastIndex(life => life.Region == region);
    }

    /// <summary>Starts it and kills it, as often as was asked for.</summary>
    /// <exception cref="InvalidOperationException">it did not start on its data</exception>
    public async Task KillAllAsync(Action<int> progress)
    {
        // The first is killed like the others, but not before it was ready: that is what the moments in a start are taken from.
        for (var (n, startMs) = (0, 0.0); n < options.Kills; n++)
        {
            var duringStart = _random.NextDouble() < OfStarts && n > 0;
            var (share, upMs) = (_random.NextDouble(), LeastMs + (_random.NextDouble() * (options.Longest - LeastMs)));
            var life = Start();
            if (duringStart)
            {
                await clock.DelayAsync(share * startMs);
            }
            else
            {
                await ReadyAsync(life);
                startMs = life.ReadyAt - life.StartedAt;
                await clock.DelayAsync(upMs);
            }
            Kill(life);
            progress(n + 1);
        }
    }

    /// <summary>Starts it for good.</summary>
    public Task StartLastAsync() => ReadyAsync(Start());

    private Life Start()
    {
        var life = new Life(_all.Count, clock.Now);
        lock (_all)
            _all.Add(life);
        _process = ReadyProcess.Start(
            [options.Server, "--port", "0", "--data", Path.Combine(options.Data, "store")], withInput: false,
            ("FUNCSTASH_REGION", life.Region));
        return life;
    }

    private async Task ReadyAsync(Life life)
    {
        await _process!.WaitAsync(clock.Time);
        life.ReadyAt = clock.Now;
        target.Up(_process.Url, _process.Token);
    }

    private void Kill(Life life)
    {
        life.KilledAt = clock.Now;
        _process!.Kill();
        life.EndedAt = clock.Now;
        _process.Dispose();
        _process = null;
        target.Down();
    }

    public void Dispose() => _process?.Dispose();
}
