using FuncStash.Console.Parts;
using FuncStash.Delivery;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Console.Messages;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">What was found.</param>
public sealed record MessageListModel(MessageSearch Search, LogPage Page);

/// <summary>A message and all that is known of it.</summary>
/// <param name="Stored">The message, without its payload.</param>
/// <param name="Header">Its headers, redacted where they are to be.</param>
/// <param name="Body">Its payload.</param>
/// <param name="Attempts">Its attempts, latest first.</param>
/// <param name="Others">Events that belong to no attempt: its creation, its cancellation.</param>
/// <param name="Callbacks">The messages that report on it.</param>
/// <param name="IsCut">Whether there are more events than were read.</param>
/// <param name="Wait">Why it is not being attempted.</param>
/// <param name="ShowsAll">Whether payloads are shown however long they are.</param>
public sealed record MessageModel(
    StoredMessage Stored, HeaderMap Header, Payload Body, IReadOnlyList<Attempt> Attempts, IReadOnlyList<LogEvent> Others,
    IReadOnlyList<StoredMessage> Callbacks, bool IsCut, WaitReason Wait, bool ShowsAll)
{
    /// <summary>What was just done, as a word of <see cref="Notice"/>.</summary>
    public string? Done { get; init; }

    /// <summary>The latest attempt that has ended; null where none has.</summary>
    public LogEvent? Last => Attempts.FirstOrDefault(attempt => attempt.Outcome is not null)?.Outcome;
}

/// <summary>One attempt, as the log has it.</summary>
/// <param name="Number">From 1.</param>
/// <param name="StartedAt">Unix milliseconds; null where its start is not in the log.</param>
/// <param name="Outcome">The event that ended it; null while it is in flight.</param>
public sealed record Attempt(int Number, long? StartedAt, LogEvent? Outcome)
{
    /// <summary>True when the message failed for good with it.</summary>
    public bool IsLast { get; init; }

    public MessageState State => Outcome?.State ?? MessageState.Active;

    /// <summary>Milliseconds; null while it is in flight, or where its start is not known.</summary>
    public long? Took => Outcome is { } outcome && StartedAt is { } start ? Math.Max(0, outcome.Time - start) : null;
}
