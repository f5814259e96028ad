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
/// queue) is not sent back to the end of the line for ever.
/// </remarks>
public sealed partial class Sweep(
    IStore store, MessageStore messages, AdmissionService admission, DestinationLanes lanes, QueueProbe probe,
    StepFailures failures, FuncStashOptions options, TimeProvider time, ILogger<Sweep> log)
{
    // Beyond the longest attempt; by then its worker has died or settled.
    private static readonly TimeSpan s_slack = TimeSpan.FromMinutes(5);

    // What tells whether a message is overdue; all else is read of those that are.
    private static readonly string[] s_values = ["State", "DueAt", "Ticket", "ActiveSince"];

    private readonly SweepPlace _place = new(store.Tables);

    /// <summary>The most messages looked at in one run; the next run goes on from there.</summary>
    public int Limit { get; set; } = 20_000;

    /// <summary>True when the latest run stopped at its limit.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Looks at the messages of all days.</summary>
    public Task<int> RunAsync(CancellationToken stop = default) => RunAsync(firstDay: 0, stop);

    /// <param name="firstDay">The first day whose messages to look at; one that stopped at its limit is brought to its end first.</param>
    /// <param name="stop">Stops the work.</param>
    /// <returns>How many messages were sent on their way again.</returns>
    public async Task<int> RunAsync(int firstDay, CancellationToken stop = default)
    {
        var through = await probe.ThroughAsync(stop);
        await probe.SendAsync(stop);
        if (through is not { } sentAt)
            return 0;
        var place = await _place.ReadAsync(stop);
        var (found, last) = await FindAsync(firstDay, place, sentAt, stop);
        var recovered = found.Count == 0 ? 0 : await RecoverAsync(found, stop);
        if (last != place)
            await _place.WriteAsync(last, stop);
        HasMore = last is not null;
        return recovered;
    }

    private async Task<int> RecoverAsync(List<(MessageId Id, string? ETag)> found, CancellationToken stop)
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

    // Looks at live messages, oldest day first, from a place on; null in the end when there are no more.
    private async Task<(List<(MessageId Id, string? ETag)> Found, (string Partition, string Row)? Last)> FindAsync(
        int firstDay, (string Partition, string Row)? from, long through, CancellationToken stop)
    {
        var (found, seen) = (new List<(MessageId Id, string? ETag)>(), 0);
        foreach (var day in (await Days.ListAsync(store.Tables, stop)).Where(day => day >= firstDay || from is not null))
        {
            for (var shard = 0; shard < MessageId.Shards; shard++)
            {
                var partition = MessageRows.Partition(day, shard);
                if (string.CompareOrdinal(partition, from?.Partition) < 0)
                    continue;
                var range = partition == from?.Partition
                    ? RowRange.PrefixAfter(MessageRows.Live, from.Value.Row)
                    : RowRange.Prefix(MessageRows.Live);
                await foreach (var row in new RowPages(store.Tables, MessageRows.Table, partition, range, s_values).AllAsync(stop))
                {
                    if (await IsLostAsync(row, through, stop))
                        found.Add((MessageRows.IdOf(row.RowKey), row.ETag));
                    if (++seen >= Limit)
                        return (found, (partition, row.RowKey));
                }
            }
        }
        return (found, null);
    }

    // A row that nobody can read is no reason to leave the others lost: it is counted like one whose delivery fails.
    private async Task<bool> IsLostAsync(Entity row, long through, CancellationToken stop)
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
            if (row.Values.GetValueOrDefault("DueAt") is not long due || IsOverdue(new Progress { DueAt = due }, through, Now, options))
                await failures.HandleAsync(MessageRows.IdOf(row.RowKey), error, lease: null, stop);
            return false;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Error, Message = "the message of row {Row} cannot be read")]
    private static partial void LogUnreadable(ILogger log, Exception error, string row);

    [LoggerMessage(Level = LogLevel.Error, Message = "whether message {Message} waits at its queue or key cannot be told")]
    private static partial void LogNoGate(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "message {Message}, due at {DueAt}, had been lost and is sent on its way again")]
    private static partial void LogRecovered(ILogger log, string message, DateTimeOffset dueAt);
}
