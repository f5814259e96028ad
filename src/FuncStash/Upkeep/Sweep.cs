using System.Collections.Concurrent;
using System.Text.Json;
using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Telemetry;
using FuncStash.Waiting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>
/// Finds live messages that nothing acts for any more and sends them on their way again: where storage cannot commit a
/// row and a work-queue message together, a crash in between leaves a message without one.
/// </summary>
/// <remarks>
/// A message is taken for lost when it has been due for <see cref="FuncStashOptions.SweepAfter"/> although the work queue
/// has been worked through since (<see cref="QueueProbe"/>), no attempt of it is in flight, and no gate has it in line.
/// It goes on under a new ticket and is due from then on; what still acts for it under the old one is dropped. Each time
/// the patience doubles, so that a message whose host is only slow (an overloaded orchestration is not seen in the work
/// queue) is not sent back to the end of the line for ever. What is not due costs nothing: each message is read once when it
/// is of age, and then lies on the <see cref="Watchlist"/> until it is due.
/// </remarks>
public sealed partial class Sweep(
    IStore store, MessageStore messages, Watchlist watch, AdmissionService admission, DestinationLanes lanes,
    QueueProbe probe, StepFailures failures, FuncStashOptions options, TimeProvider time, ILogger<Sweep> log)
{
    // Beyond the longest attempt; by then its worker has died or settled.
    private static readonly TimeSpan s_slack = TimeSpan.FromMinutes(5);

    // What tells whether a message is overdue; all else is read of those that are.
    private static readonly string[] s_values = ["State", "DueAt", "Ticket", "ActiveSince"];

    private const int AtOnce = 8;

    // At the watch list, whose rows are deleted and written in one commit.
    private const int Step = Commit.MaxWrites / 2;

    private static readonly TimeSpan s_tries = TimeSpan.FromMinutes(4);

    private readonly SweepPlace _place = new(store.Tables);

    /// <summary>The most messages entered in one run, and the most looked at; the next run goes on from there.</summary>
    public int Limit { get; set; } = 20_000;

    /// <summary>True when the latest run stopped at its limit.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Looks at the messages of all days.</summary>
    public Task<int> RunAsync(CancellationToken stop = default) => RunAsync(firstDay: 0, stop);

    /// <param name="firstDay">The first day among whose messages to look for new ones; one that stopped at its limit is brought to its end first.</param>
    /// <param name="stop">Stops the work.</param>
    /// <returns>How many messages were sent on their way again.</returns>
    public async Task<int> RunAsync(int firstDay, CancellationToken stop = default)
    {
        HasMore = false;
        var through = await probe.ThroughAsync(stop);
        await probe.SendAsync(stop);
        if (through is not { } sentAt)
            return 0;
        var isPart = await EnterAsync(firstDay, stop);
        var found = new ConcurrentBag<(MessageId Id, string? ETag)>();
        for (var (shard, seen) = (0, 0); shard < MessageId.Shards; shard++)
        {
            await foreach (var entries in watch.DueAsync(shard, sentAt - PatienceMs, stop).Chunk(Step))
            {
                await LookAsync(shard, entries, sentAt, found, stop);
                if (isPart |= (seen += entries.Length) >= Limit)
                    break;
            }
        }
        HasMore = isPart;
        return found.IsEmpty ? 0 : await RecoverAsync(found, stop);
    }

    private async Task<int> RecoverAsync(IReadOnlyCollection<(MessageId Id, string? ETag)> found, CancellationToken stop)
    {
        await Task.Delay(QueueProbe.Settle, time, stop);
        var recovered = 0;
        foreach (var (id, version) in found)
        {
            // Not when it has changed since: then somebody acts for it.
            if (await messages.GetAsync(id, stop) is not { } stored || stored.ETag != version
                || !await messages.RestartAsync(stored, Now, stop))
                continue;
            recovered++;
            Metrics.Recovered();
            LogRecovered(log, stored.Id.Text, DateTimeOffset.FromUnixTimeMilliseconds(stored.Progress.DueAt));
        }
        return recovered;
    }

    // At a gate that nobody can read: sent on its way it fails, and is counted for it, while the others are looked after.
    private async ValueTask<bool> IsInLineAsync(StoredMessage stored, CancellationToken stop)
    {
        try
        {
            return await admission.IsInLineAsync(stored, stop);
        }
        catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
        {
            LogNoGate(log, error, stored.Id.Text);
            return false;
        }
    }

    /// <summary>Whether a message should have been acted for by now, whatever the load.</summary>
    /// <param name="progress">How far it has come.</param>
    /// <param name="through">Work-queue messages sent until then have been received; unix milliseconds.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="options">The patience, and how long an attempt may take.</param>
    internal static bool IsOverdue(Progress progress, long through, long now, FuncStashOptions options) =>
        progress.DueAt < through - ((long)options.SweepAfter.TotalMilliseconds << Math.Min(progress.Ticket, 7))
        && !(progress.ActiveSince + (long)(options.MaxTimeout + s_slack).TotalMilliseconds > now);

    // Enters the live messages that have come of age since, oldest day first. True when there are more.
    private async Task<bool> EnterAsync(int firstDay, CancellationToken stop)
    {
        var (place, seen) = (await _place.ReadAsync(stop), 0);
        var entered = await watch.EnteredAsync(stop);
        var ofAge = MessageRows.Live + LogPosition.At(Now - (long)watch.Age.TotalMilliseconds);
        foreach (var day in (await Days.ListAsync(store.Tables, stop)).Where(day => day >= firstDay || place is not null))
        {
            for (var shard = 0; shard < MessageId.Shards; shard++)
            {
                var partition = MessageRows.Partition(day, shard);
                if (string.CompareOrdinal(partition, place?.Partition) < 0)
                    continue;
                var from = partition == place?.Partition ? place : null;
                var range = new RowRange(
                    from?.Row ?? ofAge, entered.GetValueOrDefault(partition) ?? RowRange.Prefix(MessageRows.Live).To, from is not null);
                if (string.CompareOrdinal(range.From, range.To) >= 0)
                {
                    // Noted by a clock that was ahead: what came since lies behind it.
                    if (from is null)
                        await watch.NoteAsync(partition, ofAge, stop);
                    continue;
                }
                var pages = new RowPages(store.Tables, MessageRows.Table, partition, range, ["DueAt"], PageSize.MostOfFew);
                // The newest row comes first.
                var top = from?.Top;
                await foreach (var rows in pages.AllAsync(stop).Chunk(Commit.MaxWrites))
                {
                    await watch.AddAsync(shard, rows.Select(row => (MessageRows.IdOf(row.RowKey), row.Number("DueAt") ?? 0)), stop);
                    top ??= rows[0].RowKey;
                    if ((seen += rows.Length) < Limit)
                        continue;
                    await _place.WriteAsync(new SweepPlace.Stop(partition, rows[^1].RowKey, top), stop);
                    return true;
                }
                if (top is not null)
                    await watch.NoteAsync(partition, top, stop);
            }
        }
        if (place is not null)
            await _place.WriteAsync(null, stop);
        return false;
    }

    // Looks at messages that were due a while ago. Those that were lost stay on the list until they are on their way again.
    private async Task LookAsync(
        int shard, IReadOnlyList<Entity> entries, long through, ConcurrentBag<(MessageId Id, string? ETag)> found, CancellationToken stop)
    {
        var moved = new ConcurrentBag<(Entity Entry, long? To, long DueAt)>();
        await Parallel.ForEachAsync(
            entries, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
            async (entry, cancellation) =>
            {
                var id = Watchlist.IdOf(entry);
                var row = await store.Tables.GetAsync(
                    MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(MessageRows.Live, id), s_values, cancellation);
                var dueAt = row?.Number("DueAt") ?? 0;
                if (row is null)
                    moved.Add((entry, null, 0));
                else if (await IsLostAsync(row, through, cancellation) is not { } isLost)
                    // Not in the next round, which may come at once: its tries are counted.
                    moved.Add((entry, through - PatienceMs + (long)s_tries.TotalMilliseconds, dueAt));
                else if (isLost)
                    found.Add((id, row.ETag));
                else
                    moved.Add((entry, AgainAt(dueAt, through), dueAt));
            });
        await watch.MoveAsync(shard, [.. moved], stop);
    }

    // Where it is found once it is due; or, when it is and somebody acts for it, in some time: the longer that lasts, the more seldom.
    private long AgainAt(long dueAt, long through)
    {
        var end = through - PatienceMs;
        return dueAt > end ? dueAt : end + Math.Min((end - dueAt) / 2, (long)Watchlist.Longest.TotalMilliseconds);
    }

    // A row that nobody can read is no reason to leave the others lost: it is counted like one whose delivery fails. Null is for it.
    private async Task<bool?> IsLostAsync(Entity row, long through, CancellationToken stop)
    {
        try
        {
            return IsOverdue(MessageRows.ProgressFromRow(row), through, Now, options)
                && await messages.LookAsync(MessageRows.IdOf(row.RowKey), stop) is { } stored && stored.ETag == row.ETag
                && !lanes.IsFull(stored.Message.Url) && !await IsInLineAsync(stored, stop);
        }
        catch (Exception error) when (MessageRows.IsUnreadable(error))
        {
            LogUnreadable(log, error, row.RowKey);
            // Not before it is overdue: a newer version may know what it says, and act for it.
            if (row.Number("DueAt") is not { } due || IsOverdue(new Progress { DueAt = due }, through, Now, options))
                await failures.HandleAsync(MessageRows.IdOf(row.RowKey), error, lease: null, stop);
            return null;
        }
    }

    private long PatienceMs => (long)options.SweepAfter.TotalMilliseconds;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Error, Message = "the message of row {Row} cannot be read")]
    private static partial void LogUnreadable(ILogger log, Exception error, string row);

    [LoggerMessage(Level = LogLevel.Error, Message = "whether message {Message} waits at its queue or key cannot be told")]
    private static partial void LogNoGate(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "message {Message}, due at {DueAt}, had been lost and is sent on its way again")]
    private static partial void LogRecovered(ILogger log, string message, DateTimeOffset dueAt);
}
