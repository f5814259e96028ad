using FuncStash.Headers;
using FuncStash.Messages;

namespace FuncStash.Schedules;

/// <summary>What a schedule publishes and when: fixed until it is replaced (protocol#schedules).</summary>
public sealed record ScheduleSpec
{
    /// <summary>The expression as it was given, trimmed.</summary>
    public required string Cron { get; init; }

    /// <summary>A URL, or the name of a URL group whose endpoints are those of the moment it fires.</summary>
    public required string Destination { get; init; }

    public PublishSettings Settings { get; init; } = new();

    /// <summary>When the first schedule of its id was created, in unix milliseconds.</summary>
    public long CreatedAt { get; init; }

    public string CallerIp { get; init; } = "";

    /// <summary>The name of the stored payload when it is too big for the schedule's row.</summary>
    public string? BodyName { get; init; }

    /// <summary>The payload's length in bytes; null for a schedule that was stored before this was noted.</summary>
    public int? BodySize { get; init; }
}

/// <summary>A schedule as it is stored: what it does, where it stands, and the version of its row.</summary>
/// <param name="Version">Another one for each creation and replacement, so that their messages never share an id.</param>
public sealed record Schedule(string Id, string Version, ScheduleSpec Spec)
{
    /// <summary>The payload; empty here while <see cref="ScheduleSpec.BodyName"/> says where it lies.</summary>
    public byte[] Body { get; init; } = [];

    public bool Paused { get; init; }

    /// <summary>True while it is paused by a delete that is on its way, or died on it.</summary>
    public bool Deleting { get; init; }

    /// <summary>When it fires next, in unix milliseconds; null while it is paused and when no time is left.</summary>
    public long? NextAt { get; init; }

    /// <summary>The occurrence that is being published, or was when its publisher died.</summary>
    public Claim? Claim { get; init; }

    /// <summary>The latest occurrence, in unix milliseconds.</summary>
    public long? LastAt { get; init; }

    /// <summary>The messages of the latest occurrence.</summary>
    public IReadOnlyList<MessageId> LastMessages { get; init; } = [];

    /// <summary>Why the latest occurrence published nothing; null when it did.</summary>
    public string? Error { get; init; }

    public string? ETag { get; init; }

    /// <summary>When it fires.</summary>
    /// <exception cref="InvalidDataException">Its expression was written by another version and cannot be read.</exception>
    public CronTimes Times => CronTimes.TryParse(Spec.Cron, out var times, out var error, Spec.CreatedAt)
        ? times
        : throw new InvalidDataException($"schedule {Id}: {error}");
}

/// <summary>A ticker's word that it publishes one occurrence.</summary>
/// <param name="Token">The ticker's mark; another one means that somebody else took over.</param>
/// <param name="Version">The schedule's version.</param>
/// <param name="Occurrence">In unix milliseconds.</param>
/// <param name="At">When it was given, in unix milliseconds.</param>
/// <param name="Messages">Every message that may come to be by this claim, or by the one it took over until those are sealed.</param>
public sealed record Claim(string Token, string Version, long Occurrence, long At, IReadOnlyList<MessageId> Messages);
