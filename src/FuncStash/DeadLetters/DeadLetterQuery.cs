using FuncStash.Messages;

namespace FuncStash.DeadLetters;

/// <summary>Which dead letters, in which order (protocol#dead-letter-list).</summary>
public sealed record DeadLetterQuery
{
    /// <summary>Conditions on the message; its dates bound the time of failure.</summary>
    public MessageFilter Filter { get; init; } = new();

    /// <summary>Whether it is about the dead letters of workflow runs, or about all the others.</summary>
    public bool OfRuns { get; init; }

    /// <summary>Only these; all other conditions are then ignored. Null for no such list.</summary>
    public IReadOnlyList<DlqId>? Ids { get; init; }

    public IReadOnlySet<int> ResponseStatuses { get; init; } = new HashSet<int>();

    /// <summary>Only those that failed with exactly this error; null for whatever error.</summary>
    public string? Error { get; init; }

    /// <summary>Go on after this one.</summary>
    public DlqId? After { get; init; }

    public int Count { get; init; } = 100;

    public bool LatestFirst { get; init; }

    /// <summary>
    /// How many are looked at for one page, so that a rare one is not looked for through all there are; a page that ends there has
    /// an id from which to look on.
    /// </summary>
    public int MaxLooked { get; init; } = int.MaxValue;

    internal bool Matches(DeadLetter letter) =>
        Filter.Matches(letter.Message) && (ResponseStatuses.Count == 0 || ResponseStatuses.Contains(letter.ResponseStatus))
        && (Error is null || letter.Error == Error);

    /// <summary>The keys between the dates and behind <see cref="After"/>, in ascending order.</summary>
    internal (string From, bool Exclusive, string To) Keys
    {
        get
        {
            var from = new DlqId(Math.Clamp(Filter.FromDate ?? 0, 0, DlqId.MaxTime), 0).Key;
            // "~" sorts behind every digit, so the end is inclusive, also of longer numbers.
            var to = new DlqId(Math.Clamp(Filter.ToDate ?? DlqId.MaxTime, 0, DlqId.MaxTime), DlqId.MaxNumber).Key + "~";
            if (After is not { } after)
                return (from, false, to);
            if (LatestFirst)
                return (from, false, string.CompareOrdinal(after.Key, to) < 0 ? after.Key : to);
            return string.CompareOrdinal(after.Key, from) < 0 ? (from, false, to) : (after.Key, true, to);
        }
    }
}

/// <summary>Dead letters, and the id of the last of them when more follow.</summary>
public sealed record DeadLetterPage(IReadOnlyList<DeadLetter> Letters, string? Next)
{
    /// <summary>True when the page ended because so many had been looked at.</summary>
    public bool IsCutShort { get; init; }
}
