namespace FuncStash.Bench.Kills;

/// <summary>What is known of a message from outside: what was asked for, and what was answered. Times are unix milliseconds
/// with fractions, of this process's clock; 0: never.</summary>
internal sealed record Note(int Seq, string Kind)
{
    /// <summary>Length of the body, which is <see cref="BodyOf"/>.</summary>
    public int Bytes { get; init; } = 200;

    /// <summary>So many attempts are answered 500.</summary>
    public int Fails { get; init; }

    public int Retries { get; init; }

    /// <summary>The first attempt is answered 489 with Upstash-NonRetryable-Error (protocol#attempts).</summary>
    public bool Fatal { get; init; }

    /// <summary>How long the receiver takes to answer, in milliseconds.</summary>
    public int HoldMs { get; init; }

    public int DelayMs { get; init; }
    public string? Queue { get; init; }
    public FlowKey? Key { get; init; }
    public bool Callback { get; init; }
    public bool FailureCallback { get; init; }

    /// <summary>So many attempts of each of its callbacks are answered 500.</summary>
    public int CallbackFails { get; init; }

    public string? DeduplicationId { get; init; }

    /// <summary>It is cancelled so long after its acknowledgement, in milliseconds; null: never.</summary>
    public int? CancelAfterMs { get; init; }

    public double SentAt { get; set; }

    /// <summary>When its first acknowledgement came.</summary>
    public double AckedAt { get; set; }

    /// <summary>When its cancellation was acknowledged.</summary>
    public double CancelledAt { get; set; }

    /// <summary>The ids of all its acknowledgements: one, or of a deduplicated one the same several times.</summary>
    public List<string> Ids { get; init; } = [];

    /// <summary>The id of its first acknowledgement.</summary>
    public string? Id
    {
        get
        {
            lock (Ids)
                return Ids.Count > 0 ? Ids[0] : null;
        }
    }

    public bool Acked => AckedAt > 0;

    /// <summary>It has to come to the end that its answers make.</summary>
    public bool IsDue => Acked && CancelAfterMs is null;

    public bool EndsDead => Fatal || Fails > Retries;

    /// <summary>The last attempt, counted from 0 as Upstash-Retried does.</summary>
    public int Last => Fatal ? 0 : Math.Min(Fails, Retries);

    /// <summary>The callbacks it is to have, each with the attempt it tells of.</summary>
    public IEnumerable<(Role Role, int Attempt)> Callbacks =>
        [.. Enumerable.Range(0, Callback ? Last + 1 : 0).Select(n => (Role.Callback, n)),
            .. FailureCallback && EndsDead ? [(Role.FailureCallback, Last)] : ((Role, int)[])[]];

    /// <summary>What the receiver answers an attempt.</summary>
    public int StatusOf(int retried) => Fatal ? 489 : retried < Fails ? 500 : 200;

    public override string ToString() => $"{Kind} {Seq} ({Id ?? "not acknowledged"})";

    /// <summary>Any bytes, the same each time for the same message.</summary>
    public static byte[] BodyOf(int seq, int bytes)
    {
        var body = new byte[bytes];
        new Random(seq).NextBytes(body);
        return body;
    }
}

/// <summary>A flow-control key and its one limit.</summary>
internal sealed record FlowKey(string Name, int Parallelism = 0, int Rate = 0, int PeriodSeconds = 1)
{
    public string Value => Rate > 0 ? $"rate={Rate}, period={PeriodSeconds}s" : $"parallelism={Parallelism}";
}
