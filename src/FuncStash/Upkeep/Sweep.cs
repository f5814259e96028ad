using System.Runtime.CompilerServices;
using FuncStash.Admission;
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
    FuncStashOptions options, TimeProvider time, ILogger<Sweep> log)
{
    private const int PageSize = 100;

    // Beyond the longest attempt; by then its worker has died or settled.
    private static readonly TimeSpan s_slack = TimeSpan.FromMinutes(5);

    private (string Partition, string Row)? _stoppedAt;

    /// <summary>The most messages looked at in one run; the next run of this process goes on from there.</summary>
    public int Limit { get; set; } = 20_000;

    /// <returns>How many messages were sent on their way again.</returns>
    public async Task<int> RunAsync(CancellationToken stop = default)
    {
        var through = await probe.ThroughAsync(stop);
        await probe.SendAsync(stop);
        if (through is not { } sentAt)
            return 0;
        var found = new List<(MessageId Id, string? ETag)>();
        await foreach (var stored in LiveAsync(stop))
        {
            if (IsOverdue(stored.Progress, sentAt, Now, options) && !lanes.IsFull(stored.Message.Url)
                && !await admission.IsInLineAsync(stored, stop))
                found.Add((stored.Id, stored.ETag));
        }
        if (found.Count == 0)
            return 0;
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

    /// <summary>Whether a message should have been acted for by now, whatever the load.</summary>
    /// <param name="progress">How far it has come.</param>
    /// <param name="through">Work-queue messages sent until then have been received; unix milliseconds.</param>
    /// <param name="now">Unix milliseconds.</param>
    /// <param name="options">The patience, and how long an attempt may take.</param>
    internal static bool IsOverdue(Progress progress, long through, long now, FuncStashOptions options) =>
        progress.DueAt < through - ((long)options.SweepAfter.TotalMilliseconds << Math.Min(progress.Ticket, 7))
        && !(progress.ActiveSince + (long)(options.MaxTimeout + s_slack).TotalMilliseconds > now);

    // Every live message, oldest day first, from where the last run stopped.
    private async IAsyncEnumerable<StoredMessage> LiveAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var (from, seen) = (_stoppedAt, 0);
        _stoppedAt = null;
        foreach (var day in await Days.ListAsync(store.Tables, stop))
        {
            for (var shard = 0; shard < MessageId.Shards; shard++)
            {
                var partition = MessageRows.Partition(day, shard);
                if (string.CompareOrdinal(partition, from?.Partition) < 0)
                    continue;
                var range = partition == from?.Partition
                    ? RowRange.PrefixAfter(MessageRows.Live, from.Value.Row)
                    : RowRange.Prefix(MessageRows.Live);
                IReadOnlyList<Entity> rows;
                do
                {
                    rows = await store.Tables.QueryAsync(MessageRows.Table, partition, range, PageSize, cancellation: stop);
                    foreach (var row in rows)
                    {
                        if (TryRead(row) is { } stored)
                            yield return stored;
                    }
                    if (rows.Count == 0)
                        break;
                    range = range with { From = rows[^1].RowKey, Exclusive = true };
                    seen += rows.Count;
                    if (seen < Limit)
                        continue;
                    _stoppedAt = (partition, rows[^1].RowKey);
                    yield break;
                }
                while (rows.Count == PageSize);
            }
        }
    }

    // A row that nobody can read is no reason to leave the others lost.
    private StoredMessage? TryRead(Entity row)
    {
        try
        {
            return MessageRows.FromRow(row);
        }
        catch (Exception error)
        {
            LogUnreadable(log, error, row.RowKey);
            return null;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Error, Message = "the message of row {Row} cannot be read")]
    private static partial void LogUnreadable(ILogger log, Exception error, string row);

    [LoggerMessage(Level = LogLevel.Warning, Message = "message {Message}, due at {DueAt}, had been lost and is sent on its way again")]
    private static partial void LogRecovered(ILogger log, string message, DateTimeOffset dueAt);
}
