using FuncStash.Console.Parts;
using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Console.Messages;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">What was found.</param>
/// <param name="Done">What was just done, as a word of <see cref="Notice"/>.</param>
public sealed record MessageListModel(MessageSearch Search, LogPage Page, string? Done);

/// <summary>A message and all that is known of it.</summary>
/// <param name="Stored">The message, without its payload.</param>
/// <param name="Header">Its headers, redacted where they are to be.</param>
/// <param name="Body">Its payload.</param>
/// <param name="Attempts">Its attempts, latest first.</param>
/// <param name="Others">Events that belong to no attempt: its creation, its cancellation.</param>
/// <param name="Callbacks">The messages that report on it.</param>
/// <param name="IsCut">Whether there are more events than were read.</param>
/// <param name="Wait">Why it is not being attempted.</param>
/// <param name="Letter">Its dead letter, where it is still there.</param>
/// <param name="ShowsAll">Whether payloads are shown however long they are.</param>
public sealed record MessageModel(
    StoredMessage Stored, HeaderMap Header, Payload Body, IReadOnlyList<LoggedAttempt> Attempts, IReadOnlyList<LogEvent> Others,
    IReadOnlyList<StoredMessage> Callbacks, bool IsCut, WaitReason Wait, DlqId? Letter, bool ShowsAll)
{
    /// <summary>What was just done, as a word of <see cref="Notice"/>.</summary>
    public string? Done { get; init; }

    /// <summary>The latest attempt that has ended; null where none has.</summary>
    public LogEvent? Last => Attempts.FirstOrDefault(attempt => attempt.Outcome is not null)?.Outcome;
}
