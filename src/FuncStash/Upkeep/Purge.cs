using System.Text.Json;
using FuncStash.DeadLetters;
using FuncStash.Deduplication;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>What a purge did.</summary>
/// <param name="Removed">Rows it removed.</param>
/// <param name="More">True when its turn was over before all was done.</param>
public sealed record PurgeResult(int Removed, bool More);

/// <summary>
/// Removes what has outlived its retention: ended messages with their payloads, log events, workflow runs, dead letters,
/// deduplication ids. Live messages stay, however old.
/// </summary>
/// <remarks>
/// In steps of a hundred rows, the partitions of a day side by side, until nothing is left or its turn is over; the next turn
/// goes on with the day in which this one was cut off, or behind it when all that it had time for was to look. Several may run at once.
/// </remarks>
public sealed class Purge(IStore store, RunPurge runs, Watchlist watch, FuncStashOptions options, TimeProvider time)
{
    // One for each partition of a day. In a single file they would only wait for one another, and let others wait.
    private readonly int _atOnce = store.IsPartitioned ? MessageId.Shards : 1;

    // The first day of the next turn; 0 when the last came to its end.
    private int _next;

    /// <summary>How long a run goes on, at most: then other jobs have their turns, and the next run begins.</summary>
    public TimeSpan Turn { get; init; } = TimeSpan.FromSeconds(40);

    public async Task<PurgeResult> RunAsync(CancellationToken stop = default)
    {
        // The short ones first: they are not to wait for days on end behind a long one.
        var first = new PurgeRun(store, Turn / 4, time, stop);
        await DeduplicationAsync(first, stop);
        await DeadLettersAsync(first, stop);
        var more = first.IsSpent && first.Removed > 0;
        var run = new PurgeRun(store, Turn, time, stop);
        more |= await MessagesAsync(run, stop);
        var isLeft = true;
        while (isLeft && !run.IsSpent)
        {
            isLeft = await store.GiveBackAsync(stop);
            await run.RestAsync();
        }
        return new PurgeResult(first.Removed + run.Removed, more || isLeft);
    }

    // True when the turn was over before all days were looked through.
    private async Task<bool> MessagesAsync(PurgeRun run, CancellationToken stop)
    {
        // A deduplication id stands for its message for as long as its window is.
        var oldest = Now - Math.Max(Ms(options.LogRetention), Ms(options.DeduplicationWindow));
        // The day before the one in which the retention begins is the last that is over.
        foreach (var day in (await Days.ListAsync(store.Tables, stop)).Where(day => day >= _next && day < MessageId.DayOf(oldest)))
        {
            var left = 0;
            await SideBySideAsync(MessageId.Shards, async shard =>
            {
                if (run.IsSpent || !await PartitionAsync(run, MessageRows.Partition(day, shard), oldest, stop))
                    Interlocked.Increment(ref left);
            }, stop);
            if (run.IsSpent)
            {
                _next = run.Removed > 0 ? day : day + 1;
                return true;
            }
            if (left == 0)
                await ForgetAsync(day, stop);
        }
        _next = 0;
        return false;
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
        await watch.ForgetAsync(day, stop);
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

    private Task DeduplicationAsync(PurgeRun run, CancellationToken stop)
    {
        var now = Now;
        return SideBySideAsync(16, digit => run.RemoveAsync(
            Deduplicator.Table, Deduplicator.Partition($"{digit:x}"), RowRange.Prefix(""), ["ExpiresAt"],
            row => row.Number("ExpiresAt") < now), stop);
    }

    private Task DeadLettersAsync(PurgeRun run, CancellationToken stop)
    {
        var end = new DlqId(Math.Max(0, Now - Ms(options.DlqRetention)), 0).Key;
        return SideBySideAsync(DlqId.Shards * 2, shard => run.RemoveAsync(
            DeadLetterStore.Table, DlqId.ShardPartition(shard % DlqId.Shards, shard >= DlqId.Shards), new RowRange("", end), ["Spec"], _ => true, BodyNameOf), stop);
    }

    private Task SideBySideAsync(int parts, Func<int, Task> part, CancellationToken stop) => Parallel.ForEachAsync(
        Enumerable.Range(0, parts), new ParallelOptions { MaxDegreeOfParallelism = _atOnce, CancellationToken = stop },
        async (each, _) => await part(each));

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
