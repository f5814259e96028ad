using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Storage;
using FuncStash.Workflows;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>Settles what runs still owe because whoever was to settle it has died.</summary>
/// <remarks>
/// A second line of defence: a work-queue message goes with each debt, unless the process died between the two, which only
/// a store can bring about that cannot commit both together.
/// </remarks>
public sealed partial class RunSweep(IStore store, RunDebts debts, ILogger<RunSweep> log)
{
    private const int PageSize = 500;

    /// <param name="firstDay">The first day whose runs to look at.</param>
    /// <param name="stop">Stops the work.</param>
    /// <returns>How many runs owed something.</returns>
    public async Task<int> RunAsync(int firstDay, CancellationToken stop = default)
    {
        var settled = 0;
        foreach (var day in (await Days.ListAsync(store.Tables, stop)).Where(day => day >= firstDay))
        {
            for (var shard = 0; shard < MessageId.Shards; shard++)
            {
                var range = RowRange.Prefix(RunRows.Debts);
                IReadOnlyList<Entity> rows;
                do
                {
                    rows = await store.Tables.QueryAsync(
                        RunRows.Table, MessageRows.Partition(day, shard), range, PageSize, only: [], stop);
                    foreach (var key in rows.Select(row => row.RowKey.Split('|')[1]).Distinct())
                        settled += await TryAsync(MessageId.Parse(key), stop) ? 1 : 0;
                    if (rows.Count > 0)
                        range = range with { From = rows[^1].RowKey, Exclusive = true };
                }
                while (rows.Count == PageSize);
            }
        }
        return settled;
    }

    // One that cannot be settled is no reason to leave the others.
    private async ValueTask<bool> TryAsync(MessageId key, CancellationToken stop)
    {
        try
        {
            await debts.SettleAsync(key, stop);
            return true;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            LogFailed(log, error, key.Text);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "what the workflow run {Run} owes could not be settled and is tried again")]
    private static partial void LogFailed(ILogger log, Exception error, string run);
}
