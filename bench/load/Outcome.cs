namespace FuncStash.Bench;

/// <summary>What became of a phase's messages, and how fast.</summary>
internal sealed class Outcome
{
    private readonly Batch _batch;
    private readonly TimeProvider _time;
    private readonly int[] _acked;

    /// <param name="batch">the phase's messages, after the wait for their arrival</param>
    /// <param name="time">the clock of the batch's timestamps</param>
    /// <param name="use">the server's CPU and memory meanwhile, where its process is known</param>
    public Outcome(Batch batch, TimeProvider time, ProcessUse.Result? use)
    {
        (_batch, _time, Use) = (batch, time, use);
        _acked = [.. Enumerable.Range(0, batch.Capacity).Where(seq => batch.Acked[seq] != 0)];
        Lost = _acked.Count(seq => batch.Arrived[seq] == 0);
        WrongIds = _acked.Count(seq => batch.AckedId[seq] is not { Length: > 0 } id
                || (batch.Arrived[seq] != 0 && batch.ArrivedId[seq] != id))
            + _acked.Length - _acked.Select(seq => batch.AckedId[seq]).Distinct().Count();
    }

    public ProcessUse.Result? Use { get; }
    public int Acknowledged => _acked.Length;
    public int Errors => _batch.ErrorCount;
    public string? FirstError => _batch.FirstError;

    /// <summary>Acknowledged, but not arrived by the end of the wait.</summary>
    public int Lost { get; }

    /// <summary>Deliveries beyond a message's first. Counts on until the end of the session.</summary>
    public int Duplicates => _batch.Deliveries.Sum(n => Math.Max(0, n - 1));

    public int Corrupted => _batch.AlteredCount;

    /// <summary>Acknowledged without an id, with one that another message has, or delivered under another
    /// (Upstash-Message-Id, protocol#delivered-headers).</summary>
    public int WrongIds { get; }

    public double AcksPerSecond => _acked.Length / Seconds(FirstSent, _batch.Acked.Max());

    /// <summary>Arrived messages over the time from the first publish to the last arrival.</summary>
    public double DeliveriesPerSecond => _batch.ArrivedCount / Seconds(FirstSent, _batch.LastArrival);

    public Latency Ack => Latency.Of(_acked.Select(seq => Ms(_batch.Sent[seq], _batch.Acked[seq])));

    /// <summary>Negative where a message was at the sink before its acknowledgement was at the publisher.</summary>
    public Latency AckToArrival => Latency.Of(Arrived.Select(seq => Ms(_batch.Acked[seq], _batch.Arrived[seq])));

    /// <summary>Arrival against the moment of sending plus the delay asked for, in ms.</summary>
    public double[] Lateness(double delayMs) => [.. Arrived.Select(seq => Ms(_batch.Sent[seq], _batch.Arrived[seq]) - delayMs)];

    /// <summary>Delivery against the first, refused attempt plus the retry delay asked for, in ms.</summary>
    public double[] RetryLateness(double delayMs) =>
        [.. Arrived.Select(seq => Ms(_batch.FirstAttempt[seq], _batch.Arrived[seq]) - delayMs)];

    public bool Sound => Lost + Duplicates + Corrupted + WrongIds + Errors == 0 && Acknowledged == _batch.Capacity;

    private IEnumerable<int> Arrived => _acked.Where(seq => _batch.Arrived[seq] != 0);
    private long FirstSent => _batch.Sent.Where(t => t != 0).DefaultIfEmpty().Min();
    private double Seconds(long from, long to) => _time.GetElapsedTime(from, to).TotalSeconds;
    private double Ms(long from, long to) => _time.GetElapsedTime(from, to).TotalMilliseconds;
}
