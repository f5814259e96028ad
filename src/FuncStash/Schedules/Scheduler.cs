using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Wire;

namespace FuncStash.Schedules;

/// <summary>Creates, pauses, resumes and deletes schedules (protocol#schedules).</summary>
/// <remarks>
/// Pause, delete and replace win over a tick that started earlier. They first change the row, after which no ticker can
/// claim an occurrence of the old state; then they seal the messages of the claim the row has, which a ticker may still
/// be about to store. So once they are acknowledged no further message of that state comes to be. See
/// <see cref="ScheduleTicker"/> for the other side.
/// </remarks>
public sealed class Scheduler(
    ScheduleStore schedules, MessageStore messages, Publisher publisher, ScheduleSignal signal, TimeProvider time)
{
    /// <summary>
    /// Creates a schedule. One of that id is replaced: what it does and when is all new, and stays its operator's and its
    /// past's what is theirs: a pause, the time of its creation, how it ran so far (protocol#cron).
    /// </summary>
    /// <remarks>A run that is due and not published yet is the new one's, where both have the same expression.</remarks>
    /// <returns>The schedule's id.</returns>
    /// <exception cref="QStashException">400, 404 or 413 for what could not be published now.</exception>
    public async ValueTask<string> CreateAsync(PublishRequest request, CancellationToken cancellation = default)
    {
        var settings = request.Settings;
        if (settings.Cron is not { } cron)
            throw QStashException.BadRequest("Upstash-Cron is missing");
        if (!CronTimes.TryParse(cron, out _, out var error))
            throw QStashException.BadRequest($"Invalid cron expression {(cron.Length > 0 ? cron + ": " : "")}{error}");
        settings = settings.OfSchedule() with { QueueName = request.QueueName ?? settings.QueueName };
        await publisher.CheckAsync(request with { Settings = settings }, cancellation);
        var now = Now;
        var spec = new ScheduleSpec
        {
            Cron = cron,
            Destination = request.Destination,
            Settings = settings,
            CreatedAt = now,
            CallerIp = request.CallerIp,
        };
        ScheduleRows.Check(spec);
        var schedule = await schedules.PrepareAsync(
            new Schedule(request.Settings.ScheduleId ?? NewId(request.Once), Guid.NewGuid().ToString("N"), spec) { Body = request.Body }, cancellation);
        while (true)
        {
            var before = await schedules.GetAsync(schedule.Id, cancellation);
            if (!(await schedules.ChangeAsync(before, Following(schedule, before, now), cancellation)).Applied)
                continue;
            await SealAsync(before, cancellation);
            signal.Raise();
            return schedule.Id;
        }
    }

    private static Schedule Following(Schedule schedule, Schedule? before, long now)
    {
        if (before is not null)
        {
            schedule = schedule with
            {
                Spec = schedule.Spec with { CreatedAt = before.Spec.CreatedAt },
                // A delete that died half-way is no pause.
                Paused = before is { Paused: true, Deleting: false },
                LastAt = before.LastAt,
                LastMessages = before.LastMessages,
                Error = before.Error,
                // It stays until its messages are sealed, should this call end before.
                Claim = before.Claim,
            };
        }
        var due = before is { NextAt: { } next } && next <= now && before.Spec.Cron == schedule.Spec.Cron ? before.NextAt : null;
        return schedule with { NextAt = schedule.Paused ? null : due ?? schedule.Times.NextAfter(now) };
    }

    /// <summary>Pauses a schedule; false when there is none.</summary>
    public async ValueTask<bool> PauseAsync(string id, CancellationToken cancellation = default) =>
        await StopAsync(id, deletes: false, cancellation) is not null;

    /// <summary>Lets a paused schedule go on with its next time; what it missed is dropped. False when there is none.</summary>
    public async ValueTask<bool> ResumeAsync(string id, CancellationToken cancellation = default)
    {
        while (await schedules.GetAsync(id, cancellation) is { } before)
        {
            if (!before.Paused)
                return true;
            var after = before with { Paused = false, Deleting = false, NextAt = before.Times.NextAfter(Now) };
            if (!(await schedules.ChangeAsync(before, after, cancellation)).Applied)
                continue;
            signal.Raise();
            return true;
        }
        return false;
    }

    /// <summary>Deletes a schedule, not the messages it has created; false when there is none.</summary>
    public async ValueTask<bool> DeleteAsync(string id, CancellationToken cancellation = default)
    {
        var found = false;
        while (await StopAsync(id, deletes: true, cancellation) is { } stopped)
        {
            found = true;
            if ((await schedules.ChangeAsync(stopped, null, cancellation)).Applied)
                return true;
        }
        return found;
    }

    /// <summary>
    /// Publishes what the schedule does once more, now, paused or not. Its times, and how it ran at them, stay as they are.
    /// </summary>
    /// <param name="id">The schedule.</param>
    /// <param name="callerIp">The address of who asks for it.</param>
    /// <param name="once">What asks, as in <see cref="PublishRequest.Once"/>; null for what may not twice.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The messages; null when there is no such schedule.</returns>
    /// <exception cref="QStashException">400, 404 or 413 for what cannot be published now.</exception>
    public async ValueTask<PublishResult?> RunAsync(string id, string callerIp, string? once = null, CancellationToken cancellation = default)
    {
        // One that is replaced meanwhile has its payload elsewhere: the next look finds the new one.
        while (await schedules.GetAsync(id, cancellation) is { Deleting: false } schedule)
        {
            if (await schedules.BodyAsync(schedule, cancellation) is not { } body)
                continue;
            var spec = schedule.Spec;
            return await publisher.PublishAsync(
                new PublishRequest(spec.Destination, spec.Settings, body)
                {
                    CallerIp = callerIp, QueueName = spec.Settings.QueueName, ScheduleId = id, Once = once,
                },
                cancellation);
        }
        return null;
    }

    private async ValueTask<Schedule?> StopAsync(string id, bool deletes, CancellationToken cancellation)
    {
        while (await schedules.GetAsync(id, cancellation) is { } before)
        {
            var now = before;
            if (!before.Paused || (before.Deleting && !deletes))
            {
                var (applied, after) = await schedules.ChangeAsync(
                    before, before with { Paused = true, Deleting = deletes, NextAt = null }, cancellation);
                if (!applied)
                    continue;
                now = after!;
            }
            // Also for one that was paused before: that call may have died before it got here.
            await SealAsync(now, cancellation);
            return now;
        }
        return null;
    }

    private async ValueTask SealAsync(Schedule? schedule, CancellationToken cancellation)
    {
        foreach (var id in schedule?.Claim?.Messages ?? [])
            await messages.SealAsync(id, cancellation);
    }

    // The same for what asks twice.
    /// <summary>The id of a schedule that brings none: a new one, or that of what asks, as in <see cref="PublishRequest.Once"/>.</summary>
    internal static string NewId(string? once)
    {
        Span<char> text = stackalloc char[Base58.Length];
        Base58.Encode(BinaryPrimitives.ReadUInt128BigEndian(
            once is null ? RandomNumberGenerator.GetBytes(16) : SHA256.HashData(Encoding.UTF8.GetBytes(once))), text);
        return string.Create(CultureInfo.InvariantCulture, $"scd_{text}");
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
