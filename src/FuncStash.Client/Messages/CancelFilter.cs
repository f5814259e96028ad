namespace FuncStash.Client;

/// <summary>Which messages are cancelled; its times are those of publishing.</summary>
public sealed record CancelFilter : MessageFilter
{
    /// <summary>Hosts of destination URLs, with their ports or without.</summary>
    public IReadOnlyList<string>? Hosts { get; init; }

    /// <summary>Paths of destination URLs, without their queries.</summary>
    public IReadOnlyList<string>? Paths { get; init; }

    internal override QueryText AddTo(QueryText query) => base.AddTo(query).Add("host", Hosts).Add("path", Paths);
}
