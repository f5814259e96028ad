using FuncStash.Messages;

namespace FuncStash.Runs;

/// <summary>What is submitted to a run: an entry, and the message that carries it out or brings it to the endpoint.</summary>
/// <param name="Step">The entry, without its place.</param>
/// <param name="Message">The message; null for an entry that makes none.</param>
public sealed record Submission(RunStep Step, Message? Message)
{
    /// <summary>The base of the run's webhook URLs, where the step makes one.</summary>
    public string? HookBase { get; init; }

    /// <summary>True for the result of a call or an invocation, which was under way until then.</summary>
    public bool Closes { get; init; }

    /// <summary>True for what sleeps: it has no place in the history before it is due.</summary>
    public bool IsDelayed => Message is { } message && message.NotBefore > message.CreatedAt;
}

/// <summary>A step in the life of a run: what it becomes, and what is stored with it in one commit.</summary>
/// <param name="After">The run as it then is.</param>
public sealed record RunChange(Run After)
{
    /// <summary>Entries that must not be there yet.</summary>
    public IReadOnlyList<RunStep> Added { get; init; } = [];

    /// <summary>Entries in the place of those that were read.</summary>
    public IReadOnlyList<RunStep> Changed { get; init; } = [];

    public IReadOnlyList<Message> Messages { get; init; } = [];

    /// <summary>An event to be kept, with its data.</summary>
    public KeptEvent? Kept { get; init; }

    /// <summary>A kept event that has found its wait.</summary>
    public StoredEvent? Taken { get; init; }

    public IReadOnlyList<Debt> Debts { get; init; } = [];
}

/// <summary>An event with its data, empty here while <paramref name="BodyName"/> says where they lie.</summary>
public sealed record KeptEvent(StoredEvent Event, byte[] Data, string? BodyName = null);
