using System.Text.Json;
using FuncStash.DeadLetters;
using FuncStash.Deduplication;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>What a purge did.</summary>
/// <param name="Removed">Rows it removed.</param>
/// <param name="More">True when it stopped at its limit.</param>
public sealed record PurgeResult(int Removed, bool More);

/// <summary>
/// Removes what has outlived its retention: ended messages with their payloads, log events, workflow runs, dead letters,
/// deduplication ids. Live messages stay, however old.
/// </summary>
/// <remarks>
/// In steps of a hundred rows, up to a limit a run; one that is cut off goes on where it was by itself, since what it has
/// removed is no longer found. Several may run at once.
/// </remarks>
public sealed class Purge(IStore store, RunPurge runs, FuncStashOptions options, TimeProvider time)
{
    /// <summary>The most rows removed in one run.</summary>
    public int Limit { get; init; } = 20_000;

    public async Task<PurgeResult> RunAsync(CancellationToken stop = default)
    {
        var run = new PurgeRun(store, Limit, stop);
        await MessagesAsync(run, stop);
        await DeduplicationAsync(run);
        await DeadLettersAsync(run);
        return new PurgeResult(run.Removed, run.IsSpent);
    }

    private async Task MessagesAsync(PurgeRun run, CancellationToken stop)
    {
        // A deduplication id stands for its message for as long as its window is.
        var oldest = Now - Math.Max(Ms(options.LogRetention), Ms(options.DeduplicationWindow));
        // The day before the one in which the retention begins is the last that is over.
        foreach (var day in (await Days.ListAsync(store.Tables, stop)).Where(day => day < MessageId.DayOf(oldest)))
        {
            var isEmpty = true;
            for (var shard = 0; shard < MessageId.Shards && !run.IsSpent; shard++)
                isEmpty &= await PartitionAsync(run, MessageRows.Partition(day, shard), oldest, stop);
            if (run.IsSpent)
                return;
            if (isEmpty)
                await ForgetAsync(day, stop);
        }
    }

    private async Task<bool> PartitionAsync(PurgeRun run, string partition, long oldest, CancellationToken stop)
    {
        var isEmpty = await RemoveAsync(MessageRows.Event, [], _ => true);
        // A message of that day may have ended much later.
        isEmpty &= await RemoveAsync(MessageRows.Ended, ["EndedAt", "Spec"], row => !(row.Number("EndedAt") >= oldest), BodyNameOf);
        isEmpty &= await RemoveAsync(MessageRows.Once, [], _ => true);
        isEmpty &= await RemoveAsync(
            MessageRows.Aside, [FailingMessages.SetAsideAt, "Spec"],
            row => !(row.Number(FailingMessages.SetAsideAt) >= Now - Ms(options.DlqRetention)), BodyNameOf);
        isEmpty &= await runs.RunAsync(run, partition, oldest, stop);
        return isEmpty && await HasNoLiveAsync(partition, stop);

        Task<bool> RemoveAsync(
            string kind, IReadOnlyList<string> only, Func<Entity, bool> isOld, Func<Entity, string?>? body = null) =>
            run.RemoveAsync(MessageRows.Table, partition, RowRange.Prefix(kind), only, isOld, body);
    }

    private async Task<bool> HasNoLiveAsync(string partition, CancellationToken stop) =>
        (await store.Tables.QueryAsync(
            MessageRows.Table, partition, RowRange.Prefix(MessageRows.Live), 1, only: [], stop)).Count == 0;

    private async Task ForgetAsync(int day, CancellationToken stop)
    {
        await Days.RemoveAsync(store.Tables, day, stop);
        // A message may have come to that day in between, late by more than the retention: it must be found.
        for (var shard = 0; shard < MessageId.Shards; shard++)
        {
            if (await HasNoLiveAsync(MessageRows.Partition(day, shard), stop))
                continue;
            await Days.AddAsync(store.Tables, day, stop);
            return;
        }
    }

    private async Task DeduplicationAsync(PurgeRun run)
    {
        var now = Now;
        for (var digit = 0; digit < 16; digit++)
        {
            await run.RemoveAsync(
                Deduplicator.Table, Deduplicator.Partition($"{digit:x}"), RowRange.Prefix(""), ["ExpiresAt"],
                row => row.Number("ExpiresAt") < now);
        }
    }

    private async Task DeadLettersAsync(PurgeRun run)
    {
        var end = new DlqId(Math.Max(0, Now - Ms(options.DlqRetention)), 0).Key;
        for (var shard = 0; shard < DlqId.Shards * 2; shard++)
        {
            await run.RemoveAsync(
                DeadLetterStore.Table, DlqId.ShardPartition(shard % DlqId.Shards, shard >= DlqId.Shards), new RowRange("", end), ["Spec"], _ => true, BodyNameOf);
        }
    }

    // A row that nobody can read is removed all the same.
    private static string? BodyNameOf(Entity row)
    {
        try
        {
            return row.Bytes("Spec") is { } spec ? MessageJson.ReadMessage(spec).BodyName : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static long Ms(TimeSpan span) => (long)span.TotalMilliseconds;
}
