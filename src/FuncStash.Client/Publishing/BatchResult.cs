namespace FuncStash.Client;

/// <summary>What became of one message of a batch: published, or refused while others were not.</summary>
public sealed record BatchResult
{
    /// <summary>The messages that were taken: one, or one for each endpoint of a URL group; none when it was refused.</summary>
    public IReadOnlyList<PublishedMessage> Messages { get; init; } = [];

    /// <summary>Why the service refused it; null when it did not.</summary>
    public string? Error { get; init; }
}
