using System.Text.Json;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Workflows;

namespace FuncStash.Upkeep;

/// <summary>
/// Removes runs that have ended and outlived their retention, with all that belongs to them, once they can be resumed no
/// more and owe nothing; and ends those that nothing will ever bring on.
/// </summary>
public sealed class RunPurge(
    IStore store, RunStore runs, RunIndex index, WaiterIndex waiters, DeadLetterStore letters, RunDebts debts, LostRuns lost, FuncStashOptions options)
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
        isEmpty &= await RemoveAsync(run, partition, RunRows.Live, found => EndIfLostAsync(found, oldest, stop), stop);
        if (!isEmpty)
            return false;
        // Of runs that were never stored because whoever began to died.
        foreach (var kind in new[] { RunRows.Step, RunRows.Event, RunRows.Debts, MessageRows.OfRun })
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
        await RemoveWaitsAsync(key, stop);
        foreach (var prefix in new[] { RunRows.StepPrefix(key), RunRows.EventPrefix(key), RunRows.DebtPrefix(key), MessageRows.RunMarkPrefix(key) })
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

    // One that cannot be ended is no reason to leave the others; whoever sweeps tells what it owes.
    private async ValueTask<bool> EndIfLostAsync(Run run, long oldest, CancellationToken stop)
    {
        try
        {
            await lost.EndAsync(run.Key, oldest, stop);
        }
        catch (Exception error) when (!stop.IsCancellationRequested && !store.IsFault(error))
        {
        }
        return false;
    }

    // Its dead letter may still be there, and resume it.
    private async ValueTask<bool> IsOldAsync(Run run, long oldest, CancellationToken stop) =>
        run.Progress.EndedAt < oldest && !await OwesAsync(run, oldest, stop)
        && (run.Progress is { DlqId: null } or { IsLetterGone: true } || await letters.LookAsync(DlqId.Parse(run.Progress.DlqId), stop) is null);

    // Whoever invoked it waits for its answer. What cannot be settled for as long again never will be.
    private async ValueTask<bool> OwesAsync(Run run, long oldest, CancellationToken stop)
    {
        try
        {
            await debts.SettleAsync(run.Key, stop);
            return false;
        }
        catch (Exception error) when (!stop.IsCancellationRequested && !store.IsFault(error))
        {
            return run.Progress.EndedAt >= oldest - (long)options.LogRetention.TotalMilliseconds;
        }
    }

    private async ValueTask RemoveWaitsAsync(MessageId key, CancellationToken stop)
    {
        var rows = new RowPages(store.Tables, RunRows.Table, RunRows.Partition(key), RowRange.Prefix(RunRows.StepPrefix(key)), ["Detail"]);
        await foreach (var row in rows.AllAsync(stop))
        {
            if (RunRows.KeyOf(row) is { Kind: StepKind.Wait } step && EventOf(row) is { } name)
                await waiters.RemoveAsync(name, key, step.Id, stop);
        }
    }

    private static string? EventOf(Entity row)
    {
        try
        {
            return row.Bytes("Detail") is { } detail ? RunJson.ReadDetail(detail).Event : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

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
