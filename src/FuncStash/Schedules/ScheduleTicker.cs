using System.Collections.Concurrent;
using System.Globalization;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Wire;
using Microsoft.Extensions.Logging;

namespace FuncStash.Schedules;

/// <summary>Publishes what is due. Called again and again, by several processes if need be.</summary>
/// <remarks>
/// <para>
/// One occurrence, one message: the message's id follows from the schedule's version and the occurrence, and is created
/// once. None after a pause, a delete or a replacement was acknowledged: before it stores anything, a ticker writes the
/// ids it is about to create into the schedule's row, on the row's version (the claim). Whoever stops the schedule
/// changes the row, so no claim follows, and then seals the ids of the claim it finds: each was stored before, or never
/// will be. Nobody waits for anybody, and no lease has to be trusted to have run out.
/// </para>
/// <para>
/// None lost: the index entry moves on only with the end of the claim. A claim whose ticker died is taken over with its
/// occurrence. Whoever takes over, or ends a claim in another way, first seals the ids that are not its own (the
/// endpoints of a group may have changed), so that the end of a claim is the end of all it could create.
/// </para>
/// <para>
/// A replacement takes over the run that is due. Where the old version had claimed it, its ids are sealed first; if one of
/// them was stored before, that was the run.
/// </para>
/// <para>
/// What was missed, because nothing ran, is made up for by one run, of the latest time that was missed. A refusal, such
/// as a group that is gone, is kept as the schedule's error, and the schedule goes on.
/// </para>
/// </remarks>
public sealed partial class ScheduleTicker(
    ScheduleStore schedules, Publisher publisher, MessageStore messages, IStore store, TimeProvider time, ILogger<ScheduleTicker> log)
{
    private const int Parallel = 8;

    /// <summary>
    /// A claim younger than this is left to its ticker, unless that was one of a process before this one, and there is no other: to take it
    /// over is safe, but work done twice.
    /// </summary>
    internal static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(15);

    // In unix milliseconds.
    private readonly long _since = time.GetUtcNow().ToUnixTimeMilliseconds();

    // Schedules that could not be handled, and when to try them again: they are not to fill the log.
    private readonly ConcurrentDictionary<string, (int Times, long Until)> _failed = new(StringComparer.Ordinal);

    /// <summary>Publishes every occurrence that is due at <paramref name="now"/>, and tells when the next one is.</summary>
    /// <param name="now">The time; an occurrence at this very millisecond is due.</param>
    /// <param name="stop">Starts no further schedule; those begun are finished.</param>
    public async Task<TickResult> TickAsync(DateTimeOffset now, CancellationToken stop = default)
    {
        var (published, left) = await PublishDueAsync(now, stop);
        var next = await schedules.NextDueAsync(now.ToUnixTimeMilliseconds(), stop);
        return new TickResult(published, left, next is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null);
    }

    /// <summary>The same, for a host whose clock tells when to look again: half the storage operations.</summary>
    /// <returns>How many schedules published an occurrence, and how many are due and were left.</returns>
    public async Task<(int Published, int Left)> PublishDueAsync(DateTimeOffset now, CancellationToken stop = default)
    {
        var ms = now.ToUnixTimeMilliseconds();
        var (published, left) = (0, 0);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = stop };
        await System.Threading.Tasks.Parallel.ForEachAsync(await schedules.DueAsync(ms, stop), options, async (id, _) =>
        {
            switch (await TryFireAsync(id, ms))
            {
                case Outcome.Published:
                    Interlocked.Increment(ref published);
                    break;
                case Outcome.Left:
                    Interlocked.Increment(ref left);
                    break;
            }
        });
        return (published, left);
    }

    private enum Outcome
    {
        Nothing,
        Published,
        Left,
    }

    private async Task<Outcome> TryFireAsync(string id, long now)
    {
        if (_failed.TryGetValue(id, out var failure) && failure.Until > now)
            return Outcome.Left;
        try
        {
            var outcome = await FireAsync(id, now);
            _failed.TryRemove(id, out _);
            return outcome;
        }
        catch (Exception error)
        {
            // Storage that failed, or a row that nobody can read: it stays due, and the others go on.
            var times = Math.Min(failure.Times + 1, 6);
            _failed[id] = (times, now + (1000L << times));
            LogFailed(log, error, id);
            return Outcome.Left;
        }
    }

    private async Task<Outcome> FireAsync(string id, long now)
    {
        if (await schedules.GetAsync(id) is not { Paused: false, NextAt: { } next } schedule || next > now)
            return Outcome.Nothing;
        var open = schedule.Claim is { } claim && claim.Version == schedule.Version && claim.Occurrence >= next ? claim : null;
        // One from further in the future than that was made by a clock that was ahead.
        if (open is not null && (store.IsShared || open.At >= _since) && Math.Abs(now - open.At) < (long)ClaimPatience.TotalMilliseconds)
            return Outcome.Left;
        if (await schedules.BodyAsync(schedule) is not { } body)
            return Outcome.Left;
        var run = new Run(schedule, open?.Occurrence ?? Math.Max(next, schedule.Times.LatestUntil(now) ?? next));
        if (await PublishedBeforeAsync(run) is { Count: > 0 } published)
        {
            await EndAsync(run, published, null);
            return Outcome.Nothing;
        }
        try
        {
            var result = await publisher.PublishAsync(ToRequest(run, body, now));
            await EndAsync(run, [.. result.Messages.Select(m => m.Id)], null);
            return Outcome.Published;
        }
        catch (ClaimConflictException)
        {
            return Outcome.Nothing;
        }
        catch (QStashException refusal)
        {
            LogRefused(log, id, refusal.Message);
            await SealAsync(run.Schedule.Claim?.Messages ?? []);
            await EndAsync(run, [], refusal.Message);
            return Outcome.Nothing;
        }
    }

    /// <summary>One occurrence on its way.</summary>
    private sealed class Run(Schedule schedule, long occurrence)
    {
        public string Token { get; } = Guid.NewGuid().ToString("N");

        public long Occurrence { get; } = occurrence;

        /// <summary>The schedule as it was read, then as it was claimed.</summary>
        public Schedule Schedule { get; set; } = schedule;

        public bool IsMineStill(Schedule now) => now.Version == Schedule.Version && now.Claim?.Token == Token;
    }

    private sealed class ClaimConflictException : Exception;

    private PublishRequest ToRequest(Run run, byte[] body, long now)
    {
        var (schedule, spec) = (run.Schedule, run.Schedule.Spec);
        var cause = string.Create(CultureInfo.InvariantCulture, $"schedule|{schedule.Id}|{schedule.Version}|{run.Occurrence}");
        return new PublishRequest(spec.Destination, spec.Settings, body)
        {
            CallerIp = spec.CallerIp,
            QueueName = spec.Settings.QueueName,
            ScheduleId = schedule.Id,
            Cause = (cause, run.Occurrence),
            BeforeStoring = (ids, _) => ClaimAsync(run, ids, now),
        };
    }

    private async ValueTask ClaimAsync(Run run, IReadOnlyList<MessageId> ids, long now)
    {
        // One that is taken over keeps its messages until they are sealed. Together with the new ones, and with those of claims
        // that follow, they could be more than a row has room for.
        var foreign = (run.Schedule.Claim?.Messages ?? []).Except(ids).ToList();
        if (foreign.Count > 0)
        {
            await WriteClaimAsync(run.Schedule.Claim!.Messages);
            await SealAsync(foreign);
        }
        await WriteClaimAsync(ids);

        async ValueTask WriteClaimAsync(IReadOnlyList<MessageId> claimed)
        {
            var before = run.Schedule;
            var claim = new Claim(run.Token, before.Version, run.Occurrence, now, claimed);
            var (applied, after) = await schedules.ChangeAsync(before, before with { Claim = claim });
            if (!applied)
                throw new ClaimConflictException();
            run.Schedule = after!;
        }
    }

    // The schedule was replaced while this very run was being published: if that got so far, it was the run.
    private async ValueTask<IReadOnlyList<MessageId>> PublishedBeforeAsync(Run run)
    {
        var stored = new List<MessageId>();
        if (run.Schedule.Claim is not { } other || other.Version == run.Schedule.Version || other.Occurrence != run.Occurrence)
            return stored;
        await SealAsync(other.Messages);
        foreach (var id in other.Messages)
        {
            if (await messages.GetAsync(id) is not null)
                stored.Add(id);
        }
        return stored;
    }

    // A pause, and a resume after it, leave the claim to its ticker, which still tells how the run went.
    private async ValueTask EndAsync(Run run, IReadOnlyList<MessageId> ids, string? error)
    {
        var before = run.Schedule;
        while (true)
        {
            var after = before with
            {
                Claim = null,
                LastAt = run.Occurrence,
                LastMessages = ids,
                Error = error,
                NextAt = before.NextAt <= run.Occurrence ? before.Times.NextAfter(run.Occurrence) : before.NextAt,
            };
            if ((await schedules.ChangeAsync(before, after)).Applied)
                return;
            if (await schedules.GetAsync(before.Id) is not { } now || !run.IsMineStill(now))
                return;
            before = now;
        }
    }

    private async ValueTask SealAsync(IReadOnlyList<MessageId> ids)
    {
        foreach (var id in ids)
            await messages.SealAsync(id);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "schedule {Schedule} could not be handled and is tried again")]
    private static partial void LogFailed(ILogger log, Exception error, string schedule);

    [LoggerMessage(Level = LogLevel.Warning, Message = "schedule {Schedule} published nothing: {Reason}")]
    private static partial void LogRefused(ILogger log, string schedule, string reason);
}

/// <summary>What a tick did.</summary>
/// <param name="Published">How many schedules published an occurrence.</param>
/// <param name="Left">How many are due and were left: another ticker is at them, or they failed. Look again soon.</param>
/// <param name="NextDue">When the next of the others is due; null when none is.</param>
public sealed record TickResult(int Published, int Left, DateTimeOffset? NextDue);
