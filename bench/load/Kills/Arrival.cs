namespace FuncStash.Bench.Kills;

/// <summary>What a request at the receiver is; the first segment of its path.</summary>
internal enum Role
{
    Message,
    Callback,
    FailureCallback,
    Scheduled,
}

/// <summary>One request at the receiver. Times are unix milliseconds with fractions.</summary>
/// <param name="Number">of the message; of the reported one in a callback; of the schedule</param>
/// <param name="Id">Upstash-Message-Id</param>
/// <param name="Retried">Upstash-Retried</param>
/// <param name="Life">the life of the server that sent it</param>
/// <param name="At">when it came</param>
internal sealed record Arrival(Role Role, int Number, string Id, int Retried, int Life, double At)
{
    /// <summary>The reported attempt of a callback; -1 of others.</summary>
    public int Attempt { get; init; } = -1;

    /// <summary>The body is not, byte for byte, what was published; in a callback, what is told of it.</summary>
    public bool Altered { get; init; }

    public int Status { get; init; }

    /// <summary>Right before it was answered; 0 when the connection broke before.</summary>
    public double AnsweredAt { get; set; }

    public bool Delivered => Status == 200 && AnsweredAt > 0;

    public override string ToString() =>
        $"{Role} {Number}, attempt {Retried} ({Id}), at {DateTimeOffset.FromUnixTimeMilliseconds((long)At):HH:mm:ss.fff} from life {Life}, "
        + (AnsweredAt > 0 ? $"answered {Status} after {AnsweredAt - At:0} ms" : "not answered");

    /// <summary>When it was over: answered, or ended with the server that sent it.</summary>
    public double Until(IReadOnlyList<Life> lives) =>
        AnsweredAt > 0 ? Math.Min(AnsweredAt, lives[Life].EndedAt) : lives[Life].EndedAt;
}

/// <summary>One run of the server's process, from its start to its SIGKILL. Times are unix milliseconds; 0: never.</summary>
internal sealed record Life(int Number, double StartedAt)
{
    public double ReadyAt { get; set; }

    /// <summary>Right before the signal was sent.</summary>
    public double KilledAt { get; set; }

    /// <summary>When the process was gone.</summary>
    public double EndedAt { get; set; } = double.MaxValue;

    /// <summary>Receivers are told one of two regions, so which life a request is of can be seen in it.</summary>
    public string Region => Number % 2 == 0 ? "EU-CENTRAL-1" : "US-EAST-1";
}
