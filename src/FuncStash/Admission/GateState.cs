using System.Text.Json.Serialization;
using FuncStash.Messages;

namespace FuncStash.Admission;

/// <summary>What a gate lets through: a queue, for the whole life of a message, or a flow-control key, for one attempt.</summary>
public enum GateKind
{
    Queue,
    FlowKey,
}

/// <summary>A gate's limits and who is inside. Replaced as a whole, at its version.</summary>
public sealed record GateState
{
    /// <summary>
    /// The most holders of places at a time, whatever the limits say: the state is one row, some 110 bytes a place. It is
    /// rewritten with every group of admissions.
    /// </summary>
    public const int MaxInside = 2000;

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; init; }

    public long UpdatedAt { get; init; }

    /// <summary>The most messages inside at a time; null for no limit.</summary>
    public int? Parallelism { get; init; }

    /// <summary>The most admissions in a period; null for no limit.</summary>
    public int? Rate { get; init; }

    /// <summary>The length of a rate period in seconds.</summary>
    public int Period { get; init; } = 1;

    /// <summary>Admissions since <see cref="PeriodStart"/>.</summary>
    public int RateCount { get; init; }

    /// <summary>When the rate period began, in unix milliseconds.</summary>
    public long PeriodStart { get; init; }

    /// <summary>Whether a message has brought the limits of this key; where none has, the first to come in does.</summary>
    public bool HasLimits { get; init; }

    public bool Paused { get; init; }

    /// <summary>Since when it is paused, in unix milliseconds; null where that was not noted.</summary>
    public long? PausedAt { get; init; }

    public bool PinnedParallelism { get; init; }

    public bool PinnedRate { get; init; }

    /// <summary>How many rows the wait list has.</summary>
    public int Waiting { get; init; }

    /// <summary>The last place in the wait list, so that the next one comes behind it; null when nobody waits.</summary>
    public string? Last { get; init; }

    /// <summary>How many in the wait list stand where their time would not put them (<see cref="LineOrder"/>).</summary>
    public int Moved { get; init; }

    /// <summary>When the next of the delayed messages is due, or before that, in unix milliseconds; null when there is none (<see cref="ExpectedLine"/>).</summary>
    public long? NextExpected { get; init; }

    public IReadOnlyList<GateSlot> Inside { get; init; } = [];

    /// <summary>When the gate is looked at again by itself, in unix milliseconds; null when nothing asks for it.</summary>
    public long? WakeAt { get; init; }

    public static GateState New(GateKind kind, long now) =>
        new() { CreatedAt = now, UpdatedAt = now, Parallelism = kind == GateKind.Queue ? 1 : null };

    /// <summary>Whether it is the gate of its name that was created at a time, in unix milliseconds; null for any.</summary>
    public bool IsOf(long? createdAt) => createdAt is null || createdAt == CreatedAt;

    /// <summary>Admissions in the period that <paramref name="now"/> lies in.</summary>
    public int CountAt(long now) => now >= PeriodEnd ? 0 : RateCount;

    [JsonIgnore]
    public long PeriodEnd => PeriodStart + (Period * 1000L);
}

/// <summary>A place inside a gate.</summary>
/// <param name="Message">The message that was admitted.</param>
/// <param name="Attempt">For which of its attempts; always 0 in a queue, where it stays for all of them.</param>
/// <param name="Until">When to ask whether it is still in use, in unix milliseconds: its worker may have died.</param>
public sealed record GateSlot(string Message, int Attempt, long Until)
{
    /// <summary>The messages whose end frees the place, itself or its callbacks; null for itself alone.</summary>
    public IReadOnlyList<string>? Holders { get; init; }

    /// <summary>Whether <see cref="Until"/> is when it was last looked at: it is asked from then on.</summary>
    public bool IsLookedAt { get; init; }

    public IReadOnlyList<string> HeldBy() => Holders ?? [Message];
}

/// <summary>A message that wants to go through a gate.</summary>
/// <param name="Order">Its place in the wait list: by the time it is due, unless it has to stand behind all who wait.</param>
/// <param name="Ticket">The number of the work-queue message that its admission sends.</param>
public sealed record Candidate(string Message, int Attempt, string Order, int Ticket)
{
    public static Candidate Of(Message message, Progress progress, GateKind kind) => new(
        message.Id.Text, kind == GateKind.Queue ? 0 : progress.Retried, OrderOf(message.Id, progress.DueAt), progress.Ticket);

    public static string OrderOf(MessageId id, long dueAt) => LineOrder.ByTime(dueAt, id);
}
