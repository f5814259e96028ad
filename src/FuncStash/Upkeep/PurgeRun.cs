using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>The row removals of one purge, up to a limit.</summary>
internal sealed class PurgeRun(IStore store, int limit, CancellationToken stop)
{
    public int Removed { get; private set; }

    public bool IsSpent => Removed >= limit;

    /// <summary>Removes those rows of a range that have outlived their retention, with the payloads they name.</summary>
    /// <param name="table">The table.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="range">The rows to look at.</param>
    /// <param name="only">The values that the other two ask for; none where they ask for none.</param>
    /// <param name="isOld">Which to remove.</param>
    /// <param name="body">The name of a payload to remove with the row, if any.</param>
    /// <returns>True when no row of the range is left.</returns>
    public async Task<bool> RemoveAsync(
        string table, string partition, RowRange range, IReadOnlyList<string> only, Func<Entity, bool> isOld,
        Func<Entity, string?>? body = null)
    {
        var kept = false;
        await foreach (var rows in new RowPages(store.Tables, table, partition, range, only).AllAsync(stop).Chunk(Commit.MaxWrites))
        {
            stop.ThrowIfCancellationRequested();
            if (IsSpent)
                return false;
            var old = rows.Where(isOld).ToList();
            kept |= old.Count < rows.Length;
            // Payloads first: a row that stays finds its payload again or not, a payload without a row is looked for long.
            foreach (var name in old.Select(row => body?.Invoke(row)).OfType<string>())
                await store.Bodies.DeleteAsync(name, stop);
            await DeleteAsync(table, partition, old.ConvertAll(Write (row) => new Write.Delete(row.RowKey, only.Count == 0 ? null : row.ETag)));
        }
        return !kept && !IsSpent;
    }

    private async Task DeleteAsync(string table, string partition, List<Write> deletes)
    {
        if (deletes.Count == 0)
            return;
        if ((await store.Tables.CommitAsync(new Commit(table, partition, deletes), stop)).Applied)
        {
            Removed += deletes.Count;
            return;
        }
        // Another process removed one of them, or it has changed: each on its own.
        foreach (var delete in deletes)
        {
            if ((await store.Tables.CommitAsync(new Commit(table, partition, [delete]), stop)).Applied)
                Removed++;
        }
    }
}
