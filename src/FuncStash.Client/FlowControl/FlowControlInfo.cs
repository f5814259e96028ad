using System.Text.Json.Serialization;

namespace FuncStash.Client;

/// <summary>The state of a flow-control key.</summary>
public sealed record FlowControlInfo
{
    /// <summary>The key.</summary>
    public required string FlowControlKey { get; init; }

    /// <summary>How many messages wait for their turn.</summary>
    public int WaitListSize { get; init; }

    /// <summary>How many deliveries may wait for answers at a time; 0 when that is not limited.</summary>
    public int ParallelismMax { get; init; }

    /// <summary>How many deliveries wait for answers now.</summary>
    public int ParallelismCount { get; init; }

    /// <summary>How many deliveries may start in a period; 0 when that is not limited.</summary>
    public int RateMax { get; init; }

    /// <summary>How many have started in the present period.</summary>
    public int RateCount { get; init; }

    /// <summary>How long a period is, in whole seconds.</summary>
    [JsonConverter(typeof(SecondsConverter))]
    public TimeSpan RatePeriod { get; init; }

    /// <summary>When the present period began, to the second.</summary>
    [JsonConverter(typeof(UnixSecondsConverter))]
    public DateTimeOffset RatePeriodStart { get; init; }

    /// <summary>Whether nothing of this key is delivered.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Whether the parallelism is pinned, whatever messages bring.</summary>
    public bool IsPinnedParallelism { get; init; }

    /// <summary>Whether rate and period are pinned, whatever messages bring.</summary>
    public bool IsPinnedRate { get; init; }
}
