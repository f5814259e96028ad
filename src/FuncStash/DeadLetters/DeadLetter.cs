using System.Globalization;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.DeadLetters;

/// <summary>A message that failed for good, with the last response (protocol#dead-letters).</summary>
public sealed record DeadLetter(DlqId Id, Message Message, int ResponseStatus)
{
    public HeaderMap ResponseHeader { get; init; } = HeaderMap.Empty;

    public byte[] ResponseBody { get; init; } = [];

    /// <summary>True when the last response had headers that are not here.</summary>
    public bool IsResponseHeaderCut { get; init; }

    /// <summary>True when the body here is the first part of the last response's.</summary>
    public bool IsResponseBodyCut { get; init; }

    public string? Error { get; init; }

    /// <summary>What the response takes as it is stored, in bytes; null where that was not noted.</summary>
    public int? ResponseSize { get; init; }

    /// <summary>True for one that was read for a list, without the payload in its row and without the response.</summary>
    public bool IsLeftOut { get; init; }

    /// <summary>The message that a retry of this letter makes, once one was begun; a repeated retry makes the same.</summary>
    public MessageId? RetryId { get; init; }

    public string? ETag { get; init; }

    public static DeadLetter Of(DlqId id, Message message, AttemptOutcome outcome, string error)
    {
        var letter = new DeadLetter(id, message, outcome.Status) { Error = ShortText.Of(error, LogEvent.MaxErrorLength) };
        return outcome is AttemptOutcome.Response response ? letter.With(response.Kept()) : letter;
    }

    internal DeadLetter With(AttemptOutcome.Response response) => this with
    {
        ResponseHeader = response.Header,
        ResponseBody = response.Body,
        IsResponseHeaderCut = response.IsHeaderCut,
        IsResponseBodyCut = response.IsBodyCut,
    };

    internal AttemptOutcome.Response Response => new(ResponseStatus, ResponseHeader, ResponseBody)
    {
        IsHeaderCut = IsResponseHeaderCut,
        IsBodyCut = IsResponseBodyCut,
    };
}

/// <summary>The id of a dead letter: when the message failed, and a number.</summary>
/// <param name="FailedAt">Unix milliseconds.</param>
/// <param name="Number">
/// Tells apart what failed in the same millisecond; also spreads them over partitions. Those of workflow runs have ten
/// digits, and partitions of their own.
/// </param>
public readonly record struct DlqId(long FailedAt, int Number)
{
    public const int Shards = 4;

    internal const long MaxTime = 9_999_999_999_999;
    internal const int MaxNumber = 999_999_999;
    private const int MaxOfRun = 1_999_999_999;

    // Of this process none comes twice in a millisecond; where each counts from is random.
    private static int s_number = Random.Shared.Next();

    /// <summary>True for the dead letters of workflow runs, which have lists of their own.</summary>
    public bool IsOfRun => Number > MaxNumber;

    public static DlqId New(long failedAt) => new(failedAt, NextNumber());

    public static DlqId OfRun(long failedAt) => new(failedAt, NextNumber() + MaxNumber + 1);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{FailedAt}-{Number}");

    /// <summary>The id as a number; in the order of the keys, among those of runs or among all others.</summary>
    internal UInt128 Order => ((UInt128)(ulong)FailedAt * (MaxNumber + 1)) + (UInt128)(Number % (MaxNumber + 1));

    internal static DlqId At(UInt128 order, bool ofRun) =>
        new((long)(ulong)(order / (MaxNumber + 1)), (int)(uint)(order % (MaxNumber + 1)) + (ofRun ? MaxNumber + 1 : 0));

    internal string Partition => ShardPartition(Number % Shards, IsOfRun);

    /// <summary>The row key: sorts oldest first.</summary>
    internal string Key => string.Create(CultureInfo.InvariantCulture, $"{FailedAt:D13}-{Number:D9}");

    private static int NextNumber() => (int)((uint)Interlocked.Increment(ref s_number) % (MaxNumber + 1));

    internal static string ShardPartition(int shard, bool ofRuns) =>
        string.Create(CultureInfo.InvariantCulture, $"{(ofRuns ? "runs" : "dlq")}-{shard}");

    public static DlqId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException($"not a dead letter's id: {text}");

    public static bool TryParse(string? text, out DlqId id)
    {
        id = default;
        var dash = text?.IndexOf('-', StringComparison.Ordinal) ?? -1;
        if (dash < 0 || !long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var ms)
            || !int.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || ms > MaxTime || number > MaxOfRun)
            return false;
        id = new DlqId(ms, number);
        return true;
    }
}
