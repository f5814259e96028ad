using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Schedules;

/// <summary>Keeps schedules, one row each, and the index of what is due next.</summary>
public sealed class ScheduleStore(IStore store)
{
    /// <summary>What the names of payloads begin with, before the schedule's version: an id may be too long for a name.</summary>
    internal const string BodyPrefix = "schedule-";

    public async ValueTask<Schedule?> GetAsync(string id, CancellationToken cancellation = default)
    {
        var row = await store.Tables.GetAsync(
            ScheduleRows.Table, ScheduleRows.Partition(id), ScheduleRows.Key(id), cancellation);
        return row is null ? null : ScheduleRows.FromRow(row);
    }

    /// <summary>The same without its payload and its messages, for lists.</summary>
    public async ValueTask<Schedule?> LookAsync(string id, CancellationToken cancellation = default)
    {
        var row = await store.Tables.GetAsync(
            ScheduleRows.Table, ScheduleRows.Partition(id), ScheduleRows.Key(id), ScheduleRows.Listed, cancellation);
        return row is null ? null : ScheduleRows.FromRow(row);
    }

    /// <summary>The ids of all schedules, oldest first, and how big their payloads are.</summary>
    public async ValueTask<IReadOnlyList<ListedSchedule>> ListAsync(CancellationToken cancellation = default)
    {
        var all = new List<ListedSchedule>();
        for (var shard = 0; shard < ScheduleRows.Shards; shard++)
        {
            await foreach (var row in RowsAsync(shard, RowRange.Prefix(ScheduleRows.Row), ["Spec"], cancellation))
                all.Add(ScheduleRows.ListedFromRow(row));
        }
        return [.. all.OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal)];
    }

    /// <summary>The payloads that all schedules name.</summary>
    /// <exception cref="Exception">One of them cannot be read (<see cref="MessageRows.IsUnreadable"/>).</exception>
    internal async ValueTask<IReadOnlySet<string>> BodyNamesAsync(CancellationToken cancellation)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var shard = 0; shard < ScheduleRows.Shards; shard++)
        {
            await foreach (var row in RowsAsync(shard, RowRange.Prefix(ScheduleRows.Row), ["Spec"], cancellation))
            {
                if (ScheduleRows.BodyNameOf(row) is { } name)
                    names.Add(name);
            }
        }
        return names;
    }

    /// <summary>The payload, wherever it lies; null when it was replaced meanwhile.</summary>
    public async ValueTask<byte[]?> BodyAsync(Schedule schedule, CancellationToken cancellation = default) =>
        schedule.Spec.BodyName is { } name ? await store.Bodies.GetAsync(name, cancellation) : schedule.Body;

    /// <summary>Puts a payload that is too big for a row in a place of its own.</summary>
    public async ValueTask<Schedule> PrepareAsync(Schedule schedule, CancellationToken cancellation = default)
    {
        schedule = schedule with { Spec = schedule.Spec with { BodySize = schedule.Body.Length } };
        if (schedule.Body.Length <= MessageRows.InlineBodyBytes)
            return schedule;
        var name = BodyPrefix + schedule.Version;
        await store.Bodies.PutAsync(name, schedule.Body, cancellation);
        return schedule with { Body = [], Spec = schedule.Spec with { BodyName = name } };
    }

    /// <summary>Writes a schedule and its place in the index; removes both when <paramref name="after"/> is null.</summary>
    /// <param name="before">The schedule as it was read; null for one that is not there yet.</param>
    /// <param name="after">As it is to be.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The schedule as it is now, null also when it is removed; not applied when it has changed since it was read.</returns>
    public async ValueTask<(bool Applied, Schedule? Now)> ChangeAsync(
        Schedule? before, Schedule? after, CancellationToken cancellation = default)
    {
        var id = (before ?? after)!.Id;
        var writes = new List<Write>(3)
        {
            before is null ? new Write.Insert(ScheduleRows.ToRow(after!))
                : after is null ? new Write.Delete(ScheduleRows.Key(id), before.ETag)
                : new Write.Replace(ScheduleRows.ToRow(after), before.ETag!),
        };
        if (before?.NextAt is { } was && was != after?.NextAt)
            writes.Add(new Write.Delete(ScheduleRows.DueKey(was, id), null));
        if (after?.NextAt is { } will && will != before?.NextAt)
            writes.Add(new Write.Upsert(ScheduleRows.DueRow(will, id)));
        var commit = new Commit(ScheduleRows.Table, ScheduleRows.Partition(id), writes);
        var result = await store.Tables.CommitAsync(commit, cancellation);
        if (!result.Applied)
            return (false, null);
        if (before?.Spec.BodyName is { } name && name != after?.Spec.BodyName)
            await store.Bodies.DeleteAsync(name, cancellation);
        return (true, after is null ? null : after with { ETag = result.ETags[0] });
    }

    /// <summary>The ids of the schedules that are due at <paramref name="now"/> (unix milliseconds), earliest first in each partition.</summary>
    public async ValueTask<IReadOnlyList<string>> DueAsync(long now, CancellationToken cancellation = default)
    {
        var due = new List<string>();
        var range = new RowRange(ScheduleRows.Due, ScheduleRows.DueAt(now + 1));
        for (var shard = 0; shard < ScheduleRows.Shards; shard++)
        {
            await foreach (var row in RowsAsync(shard, range, [], cancellation))
                due.Add(ScheduleRows.FromDueKey(row.RowKey).Id);
        }
        return due;
    }

    /// <summary>When the first schedule after <paramref name="after"/> is due, both unix milliseconds; null when none is.</summary>
    public async ValueTask<long?> NextDueAsync(long after, CancellationToken cancellation = default)
    {
        var range = RowRange.Prefix(ScheduleRows.Due) with { From = ScheduleRows.DueAt(after + 1) };
        long? first = null;
        for (var shard = 0; shard < ScheduleRows.Shards; shard++)
        {
            var rows = await store.Tables.QueryAsync(
                ScheduleRows.Table, ScheduleRows.Partition(shard), range, 1, only: [], cancellation);
            if (rows.Count > 0 && ScheduleRows.FromDueKey(rows[0].RowKey).At is var at && !(at >= first))
                first = at;
        }
        return first;
    }

    private IAsyncEnumerable<Entity> RowsAsync(
        int shard, RowRange range, IReadOnlyList<string> only, CancellationToken cancellation) =>
        new RowPages(store.Tables, ScheduleRows.Table, ScheduleRows.Partition(shard), range, only).AllAsync(cancellation);
}

/// <summary>A schedule in a list.</summary>
/// <param name="CreatedAt">Unix milliseconds.</param>
/// <param name="BodySize">The payload's length in bytes, or the most that it can be where that was not noted.</param>
public sealed record ListedSchedule(string Id, long CreatedAt, int BodySize);
