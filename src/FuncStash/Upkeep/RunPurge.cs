using System.Text.Json;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>
/// Removes runs that have outlived their retention with all that belongs to them: those that have ended, for as long as
/// they can be resumed no more; and those that nothing will ever bring on.
/// </summary>
public sealed class RunPurge(IStore store, RunStore runs, RunIndex index, DeadLetterStore letters, MessageStore messages, FuncStashOptions options, TimeProvider time)
{
    private const int PageSize = 25, AtOnce = 4;

    /// <summary>Removes the old runs of a partition whose day is over.</summary>
    /// <param name="run">The purge.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="oldest">What ended before this is old; unix milliseconds.</param>
    /// <param name="stop">Stops the work.</param>
    /// <returns>True when no run is left in it.</returns>
    internal async Task<bool> RunAsync(PurgeRun run, string partition, long oldest, CancellationToken stop)
    {
        var isEmpty = await RemoveAsync(run, partition, RunRows.Ended, found => IsOldAsync(found, oldest, stop), stop);
        isEmpty &= await RemoveAsync(run, partition, RunRows.Live, found => IsAbandonedAsync(found, stop), stop);
        if (!isEmpty)
            return false;
        // Of runs that were never stored because whoever began to died.
        foreach (var kind in new[] { RunRows.Step, RunRows.Event, RunRows.Debts })
            isEmpty &= await run.RemoveAsync(RunRows.Table, partition, RowRange.Prefix(kind), ["BodyName"], _ => true, BodyNameOf);
        return isEmpty;
    }

    private async Task<bool> RemoveAsync(
        PurgeRun purge, string partition, string kind, Func<Run, ValueTask<bool>> isOld, CancellationToken stop)
    {
        var (range, kept) = (RowRange.Prefix(kind), false);
        while (!purge.IsSpent)
        {
            stop.ThrowIfCancellationRequested();
            var rows = await store.Tables.QueryAsync(RunRows.Table, partition, range, PageSize, cancellation: stop);
            await Parallel.ForEachAsync(
                rows, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop },
                async (row, cancellation) =>
                {
                    if (TryRead(row) is { } run && !await isOld(run))
                        Volatile.Write(ref kept, true);
                    else
                        await RemoveAsync(purge, row, cancellation);
                });
            if (rows.Count < PageSize)
                return !kept;
            range = range with { From = rows[^1].RowKey, Exclusive = true };
        }
        return false;
    }

    // The run's own row last, so that a purge that is cut off finds it again.
    private async ValueTask RemoveAsync(PurgeRun purge, Entity row, CancellationToken stop)
    {
        var key = MessageRows.IdOf(row.RowKey);
        foreach (var prefix in new[] { RunRows.StepPrefix(key), RunRows.EventPrefix(key), RunRows.DebtPrefix(key) })
            await purge.RemoveAsync(RunRows.Table, row.PartitionKey, RowRange.Prefix(prefix), ["BodyName"], _ => true, BodyNameOf);
        if (purge.IsSpent)
            return;
        if (TryRead(row) is { } run)
        {
            await index.RemoveAsync(run.Spec.RunId, key, stop);
            if (run.Progress.ResultName is { } name)
                await store.Bodies.DeleteAsync(name, stop);
        }
        await purge.RemoveAsync(RunRows.Table, row.PartitionKey, new RowRange(row.RowKey, row.RowKey + "~"), only: [], _ => true);
    }

    // Its dead letter may still be there, and resume it.
    private async ValueTask<bool> IsOldAsync(Run run, long oldest, CancellationToken stop) =>
        run.Progress.EndedAt < oldest
        && (run.Progress.DlqId is not { } dlqId || await letters.GetAsync(DlqId.Parse(dlqId), stop) is null);

    // No delivery, wait or invocation is left that could bring it on.
    private async ValueTask<bool> IsAbandonedAsync(Run run, CancellationToken stop) =>
        run.Progress is { Open: <= 0, Waits.Count: 0 }
        && run.CreatedAt < (time.GetUtcNow() - options.LogRetention).ToUnixTimeMilliseconds()
        && (await messages.OfRunAsync(run.Key, stop)).Count == 0;

    private Run? TryRead(Entity row)
    {
        try
        {
            return runs.Read(row);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? BodyNameOf(Entity row) => row.Text("BodyName");
}
