namespace FuncStash.Client;

/// <summary>How many deliveries the whole account has under way.</summary>
public sealed record GlobalParallelismInfo
{
    /// <summary>How many may wait for answers at a time; 0 when the service does not say.</summary>
    public int ParallelismMax { get; init; }

    /// <summary>How many wait for answers now.</summary>
    public int ParallelismCount { get; init; }
}
