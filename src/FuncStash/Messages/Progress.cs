namespace FuncStash.Messages;

/// <summary>The lifecycle states (protocol#states), in the spelling of the SDKs.</summary>
public enum MessageState
{
    Created,
    Active,
    Delivered,
    Error,
    Retry,
    Failed,
    CancelRequested,
    Canceled,
}

public static class MessageStates
{
    public static string Wire(this MessageState state) => state switch
    {
        MessageState.Created => "CREATED",
        MessageState.Active => "ACTIVE",
        MessageState.Delivered => "DELIVERED",
        MessageState.Error => "ERROR",
        MessageState.Retry => "RETRY",
        MessageState.Failed => "FAILED",
        MessageState.CancelRequested => "CANCEL_REQUESTED",
        MessageState.Canceled => "CANCELED",
        _ => throw new ArgumentOutOfRangeException(nameof(state)),
    };

    public static bool TryParse(string text, out MessageState state)
    {
        // The documentation spells it with two Ls, the SDKs with one.
        text = text == "CANCELLED" ? "CANCELED" : text;
        foreach (var candidate in Enum.GetValues<MessageState>())
        {
            if (candidate.Wire() == text)
            {
                state = candidate;
                return true;
            }
        }
        state = default;
        return false;
    }

    /// <summary>True for the states after which nothing more happens to a message.</summary>
    public static bool IsFinal(this MessageState state) =>
        state is MessageState.Delivered or MessageState.Failed or MessageState.Canceled;
}

/// <summary>How far a message has come.</summary>
public sealed record Progress
{
    public MessageState State { get; init; } = MessageState.Created;

    /// <summary>How many retries were started.</summary>
    public int Retried { get; init; }

    /// <summary>When the next attempt is due, in unix milliseconds.</summary>
    public long DueAt { get; init; }

    /// <summary>The number of the work-queue message that may act for this one; a lower one is stale.</summary>
    public int Ticket { get; init; }

    /// <summary>
    /// Which of the tickets that were written down outside of the work queue for this wait may act: a try to store a step that
    /// failed leaves one, too. 0 where none was.
    /// </summary>
    public int Wait { get; init; }

    /// <summary>How many log events the message has.</summary>
    public int Events { get; init; } = 1;

    /// <summary>When it was delivered, failed for good or cancelled, in unix milliseconds.</summary>
    public long? EndedAt { get; init; }

    /// <summary>When the attempt in flight started, once it has taken so long that it was written down.</summary>
    public long? ActiveSince { get; init; }

    /// <summary>The process that makes it, where others look after what it has in hand.</summary>
    public string? ActiveBy { get; init; }

    /// <summary>The dead letter of a message that failed for good.</summary>
    public string? DlqId { get; init; }

    /// <summary>How often in a row the service itself failed at this message.</summary>
    public int Failures { get; init; }

    /// <summary>
    /// When attempts were sent and settled, in unix milliseconds, so that the log of a message that was retried for days is
    /// read without that of all others of those days. Empty for one that its first attempt ended.
    /// </summary>
    public IReadOnlyList<long> AttemptTimes { get; init; } = [];

    // Two for each of a thousand retries, and a few marks that were left.
    private const int MaxTimes = 2_048;

    /// <summary>So many times as a row has room for; none where there are more: the whole log is then looked through.</summary>
    public static IReadOnlyList<long> Times(IReadOnlyList<long> times) => times.Count <= MaxTimes ? times : [];

    /// <summary>Without the mark of an attempt in flight, which nobody settled.</summary>
    public Progress WithoutMark() =>
        ActiveSince is { } left ? this with { ActiveSince = null, ActiveBy = null, AttemptTimes = Times([.. AttemptTimes, left]) } : this;

    /// <summary>The times of all log events but the first, in unix milliseconds; null when they are not known.</summary>
    public IEnumerable<long>? EventTimes()
    {
        var settled = State is MessageState.Delivered or MessageState.Failed;
        if (AttemptTimes.Count < (2 * Retried) + (settled ? 1 : 0))
            return null;
        return new[] { ActiveSince, EndedAt }.OfType<long>().Concat(AttemptTimes);
    }
}

/// <summary>A message as it is stored: what was published, how far it has come, and the version of its row.</summary>
public sealed record StoredMessage(Message Message, Progress Progress, string? ETag)
{
    /// <summary>Log events that belong into another partition and may not have got there yet.</summary>
    public IReadOnlyList<LogEvent> Outbox { get; init; } = [];

    /// <summary>The messages this one's latest step caused: callbacks, by id.</summary>
    public IReadOnlyList<string> Followers { get; init; } = [];

    /// <summary>The stored form of <see cref="Message"/>, kept so that a later write need not make it again.</summary>
    internal byte[]? Spec { get; init; }

    public MessageId Id => Message.Id;

    public bool Ended => Progress.State.IsFinal();

    /// <summary>Whether its next attempt is due at <paramref name="now"/> (unix ms).</summary>
    /// <remarks>The first one of a message without a delay is at any time: its publisher's clock may be ahead.</remarks>
    public bool IsDue(long now) =>
        Progress.DueAt <= now || (Progress.Retried == 0 && Progress.DueAt == Message.NotBefore && !Message.IsDelayed);
}
