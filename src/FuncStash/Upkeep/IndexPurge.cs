using System.Text;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>
/// Removes entries of the indexes of workflow runs that stand for nothing: whoever made one died before the run or its wait
/// was stored, or before it was taken away again.
/// </summary>
public sealed class IndexPurge(IStore store, RunStore runs, RunIndex index, FuncStashOptions options, TimeProvider time)
{
    /// <returns>How many entries it removed.</returns>
    public async Task<int> RunAsync(CancellationToken stop = default)
    {
        // Of younger ones hardly any is without its run; and those would have to be looked for one by one.
        var oldest = (time.GetUtcNow() - options.LogRetention).ToUnixTimeMilliseconds();
        var removed = 0;
        for (var part = 0; part < WaiterIndex.Parts; part++)
        {
            removed += await IdsAsync(RunIndex.PartitionAt(part), oldest, stop);
            removed += await WaitersAsync(WaiterIndex.PartitionAt(part), oldest, stop);
        }
        return removed;
    }

    private async ValueTask<int> IdsAsync(string partition, long oldest, CancellationToken stop)
    {
        var removed = 0;
        await foreach (var row in new RowPages(store.Tables, RunIndex.Table, partition, RowRange.Prefix(""), ["RunId", "Keys"]).AllAsync(stop))
        {
            foreach (var key in RunIndex.KeysOf(row).Where(key => key.CreatedAt < oldest))
            {
                if (await runs.GetAsync(key, stop) is not null)
                    continue;
                var id = Encoding.UTF8.GetString(row.Bytes("RunId")!);
                await index.RemoveAsync(id, key, stop);
                removed++;
                // A trigger may have taken over the reservation in between.
                if (await runs.GetAsync(key, stop) is not null)
                    await index.ReserveAsync(id, key, stop);
            }
        }
        return removed;
    }

    private async ValueTask<int> WaitersAsync(string partition, long oldest, CancellationToken stop)
    {
        var removed = 0;
        await foreach (var row in new RowPages(store.Tables, WaiterIndex.Table, partition, RowRange.Prefix(""), ["Event", "At"]).AllAsync(stop))
        {
            if (row.Number("At") >= oldest || await IsOpenAsync(row, stop))
                continue;
            var commit = new Commit(WaiterIndex.Table, partition, [new Write.Delete(row.RowKey, row.ETag)]);
            removed += (await store.Tables.CommitAsync(commit, stop)).Applied ? 1 : 0;
        }
        return removed;
    }

    private async ValueTask<bool> IsOpenAsync(Entity row, CancellationToken stop) =>
        await runs.LiveAsync(WaiterIndex.RunOf(row), stop) is { } run
        && run.Progress.Waits.Contains(new OpenWait(WaiterIndex.EventOf(row), WaiterIndex.StepOf(row)));
}
