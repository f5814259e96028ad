using FuncStash.Console.Parts;
using FuncStash.DeadLetters;
using FuncStash.Wire;

namespace FuncStash.Console.DeadLetters;

/// <param name="Search">What was asked for.</param>
/// <param name="Page">What was found.</param>
/// <param name="Groups">Those that failed alike, the most first; none on later pages and in a group.</param>
/// <param name="IsPart">True when there are more than were looked at for the groups.</param>
/// <param name="Done">What was just done, in words.</param>
public sealed record DeadLetterListModel(
    DeadLetterSearch Search, DeadLetterPage Page, IReadOnlyList<DeadLetterGroup> Groups, bool IsPart, string? Done);

/// <param name="Letter">The dead letter.</param>
/// <param name="Header">The message's headers, redacted where they are to be.</param>
/// <param name="Body">The message's payload.</param>
/// <param name="Response">The body of the last response.</param>
/// <param name="Refused">Why it was not sent again; null where that was not asked.</param>
public sealed record DeadLetterModel(DeadLetter Letter, HeaderMap Header, Payload Body, Payload Response, RefusedChanges? Refused);

/// <summary>A question before something is done to many.</summary>
/// <param name="Action">What: retry or delete.</param>
/// <param name="Search">To which.</param>
/// <param name="Count">To how many.</param>
/// <param name="IsMore">True when there are more, and no more were counted.</param>
/// <param name="Refused">Why the answer was not taken; null where there was none yet.</param>
public sealed record QuestionModel(DeadLetterAction Action, DeadLetterSearch Search, int Count, bool IsMore, RefusedChanges? Refused);

/// <param name="Action">What is being done.</param>
/// <param name="Search">To which.</param>
public sealed record RunModel(DeadLetterAction Action, DeadLetterSearch Search);

public enum DeadLetterAction
{
    Retry,
    Delete,
}

/// <summary>How far an action on many has come.</summary>
/// <param name="Done">For how many it is done.</param>
/// <param name="Gone">How many were sent again or deleted by somebody else before.</param>
/// <param name="Failed">For how many it failed.</param>
/// <param name="Failures">The first of them, and why.</param>
/// <param name="IsEnd">True when there are no more.</param>
public sealed record BulkProgress(int Done, int Gone, int Failed, IReadOnlyList<(DlqId Id, string Reason)> Failures, bool IsEnd);
