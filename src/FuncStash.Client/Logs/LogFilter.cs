namespace FuncStash.Client;

/// <summary>Which entries of the log; its times are those of the entries.</summary>
public sealed record LogFilter : MessageFilter
{
    /// <summary>Ids of messages; QStash heeds nothing else beside them.</summary>
    public IReadOnlyList<string>? MessageIds { get; init; }

    /// <summary>What happened.</summary>
    public LogState? State { get; init; }

    /// <summary>Hosts of destination URLs, with their ports or without.</summary>
    public IReadOnlyList<string>? Hosts { get; init; }

    /// <summary>Paths of destination URLs, without their queries.</summary>
    public IReadOnlyList<string>? Paths { get; init; }

    internal override QueryText AddTo(QueryText query) => base.AddTo(query)
        .Add("messageIds", MessageIds)
        .Add("state", State is { } state ? LogStateConverter.Text(state) : null)
        .Add("host", Hosts)
        .Add("path", Paths);
}
