using System.Collections.Frozen;
using FuncStash.Messages;

namespace FuncStash.Logs;

/// <summary>What to list of the log (protocol#logs).</summary>
public sealed record LogQuery
{
    /// <summary>Conditions on the message; its dates bound the time of the event.</summary>
    public MessageFilter Filter { get; init; } = new();

    public FrozenSet<MessageState> States { get; init; } = [];

    /// <summary>Only these messages; null for all.</summary>
    public IReadOnlyList<MessageId>? MessageIds { get; init; }

    /// <summary>The position after which to go on; null for the start.</summary>
    public string? After { get; init; }

    public int Count { get; init; } = 1000;

    public bool EarliestFirst { get; init; }

    /// <summary>
    /// Only the latest event of each message, so every message once; all conditions are about that event. A message that goes
    /// on while a page is read is on it as it was before, or is by then. While a list is paged through, it moves to its new place.
    /// </summary>
    public bool LatestOnly { get; init; }

    /// <summary>
    /// How many events are looked at for one page, latest first, so that a rare thing is not looked for through all there is;
    /// a page that ends there has a position from which to look on.
    /// </summary>
    public int MaxLooked { get; init; } = int.MaxValue;
}

/// <summary>An event with the message it is of and how far that has come, without payloads and times of attempts.</summary>
public sealed record LogEntry(LogEvent Event, Message Message, Progress Progress);

/// <summary>Entries, and the position after which more follow; null at the end.</summary>
public sealed record LogPage(IReadOnlyList<LogEntry> Entries, string? Next)
{
    /// <summary>True when the page ended because so many events had been looked at.</summary>
    public bool IsCutShort { get; init; }
}
