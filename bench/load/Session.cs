namespace FuncStash.Bench;

/// <summary>The load phase of a round, between two measurements of the ceiling.</summary>
internal sealed record LoadRun(Outcome CeilingBefore, Outcome Server, Outcome CeilingAfter)
{
    /// <summary>Deliveries per second as a share of the ceiling's.</summary>
    public double OfCeiling =>
        Server.DeliveriesPerSecond / ((CeilingBefore.DeliveriesPerSecond + CeilingAfter.DeliveriesPerSecond) / 2);
}

/// <summary>One round's measurements; a phase that was not asked for is null.</summary>
internal sealed record Round(LoadRun? Load, Outcome? Idle, Outcome? Delayed, Outcome? Retry)
{
    /// <summary>The server's phases, without the ceiling's.</summary>
    public IEnumerable<Outcome> Phases => new[] { Load?.Server, Idle, Delayed, Retry }.OfType<Outcome>();

    /// <summary>Delayed messages that came more than 1 ms before their time (times on the wire are whole ms).</summary>
    public int Early => Delayed?.Lateness(Session.DelayMs).Count(ms => ms < -1) ?? 0;

    public bool Sound => Early == 0 && Phases.All(phase => phase.Sound)
        && Load is null or { CeilingBefore.Sound: true, CeilingAfter.Sound: true };
}

/// <summary>Runs the phases against the server and the ceiling. Every phase is bounded in messages and in time.</summary>
internal sealed class Session(Options options, Sink sink, CeilingProcess ceiling, TimeProvider time) : IDisposable
{
    public const double DelayMs = 2_000;
    public const double RetryDelayMs = 1_000;

    private static readonly TimeSpan s_publishAtMost = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_arriveAtMost = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_stall = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(1);

    private readonly Publisher _server = new(options.Url, options.Token, sink.Url, options.Connections, time);
    private readonly Publisher _ceiling = new(ceiling.Url, ceiling.Token, sink.Url, options.Connections, time);

    /// <summary>Both servers and this program are compiled and tiered up before anything counts.</summary>
    public async Task WarmUpAsync()
    {
        const int Parts = 4;
        for (var part = 0; part < Parts; part++)
        {
            foreach (var publisher in (Publisher[])[_ceiling, _server])
                await LoadAsync(publisher, null, (options.Warmup + Parts - 1) / Parts);
        }
    }

    public async Task<Round> RunRoundAsync()
    {
        var load = options.Phases.Contains("load")
            ? new LoadRun(
                await LoadAsync(_ceiling, ceiling.Pid, options.N),
                await LoadAsync(_server, options.Pid, options.N),
                await LoadAsync(_ceiling, ceiling.Pid, options.N))
            : null;
        var idle = await PhaseAsync("idle", 200, 20);
        var delayed = await PhaseAsync("delayed", 500, 100, ("Upstash-Delay", "2s"));
        var retry = await PhaseAsync("retry", 100, 50, ("Upstash-Retries", "3"), ("Upstash-Retry-Delay", "1000"));
        return new Round(load, idle, delayed, retry);
    }

    private Task<Outcome> LoadAsync(Publisher publisher, int? pid, int messages) =>
        MeasureAsync(sink.NewBatch(messages), pid, batch => publisher.SaturateAsync(batch, s_publishAtMost));

    private async Task<Outcome?> PhaseAsync(string name, int messages, double perSecond, params (string, string)[] headers) =>
        options.Phases.Contains(name)
            ? await MeasureAsync(sink.NewBatch(messages, failFirst: name == "retry" ? 1 : 0), options.Pid,
                batch => _server.PaceAsync(batch, perSecond, headers))
            : null;

    private async Task<Outcome> MeasureAsync(Batch batch, int? pid, Func<Batch, Task> publish)
    {
        using var use = pid is { } id ? new ProcessUse(id, time) : null;
        await publish(batch);
        await ArriveAsync(batch);
        var result = use?.Read();
        await Task.Delay(s_settle, time); // Duplicates still come in, and timers and garbage collectors come to rest.
        return new Outcome(batch, time, result);
    }

    /// <summary>Until every acknowledged message has arrived, none has for a while, or the time is up.</summary>
    private async Task ArriveAsync(Batch batch)
    {
        // Each of them, not as many: what was not acknowledged in time may arrive all the same.
        var acknowledged = Enumerable.Range(0, batch.Capacity).Where(seq => batch.Acked[seq] != 0).ToArray();
        var arrived = 0;
        var start = time.GetTimestamp();
        while (!AllArrived() && time.GetElapsedTime(start) < s_arriveAtMost
            && time.GetElapsedTime(Math.Max(start, batch.LastArrival)) < s_stall)
            await Task.Delay(TimeSpan.FromMilliseconds(5), time);

        bool AllArrived()
        {
            while (arrived < acknowledged.Length && Volatile.Read(ref batch.Arrived[acknowledged[arrived]]) != 0)
                arrived++;
            return arrived == acknowledged.Length;
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _ceiling.Dispose();
    }
}
