using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>The row removals of one purge, for as long as its turn is. Several partitions may be worked at once.</summary>
internal sealed class PurgeRun(IStore store, TimeSpan turn, TimeProvider time, CancellationToken stop)
{
    // Deleting payloads is waiting for answers.
    private const int BodiesAtOnce = 16;

    private static readonly TimeSpan s_longestRest = TimeSpan.FromSeconds(1);

    private readonly long _began = time.GetTimestamp();
    private int _removed;
    private long _rested = time.GetTimestamp();

    public int Removed => _removed;

    public bool IsSpent => time.GetElapsedTime(_began) >= turn;

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
        await foreach (var rows in new RowPages(store.Tables, table, partition, range, only, PageSize.MostOfFew).AllAsync(stop).Chunk(Commit.MaxWrites))
        {
            stop.ThrowIfCancellationRequested();
            if (IsSpent)
                return false;
            var old = rows.Where(isOld).ToList();
            kept |= old.Count < rows.Length;
            // Payloads first: a row that stays is found again, and a payload without a row only within a month.
            await Parallel.ForEachAsync(
                old.Select(row => body?.Invoke(row)).OfType<string>(),
                new ParallelOptions { MaxDegreeOfParallelism = BodiesAtOnce, CancellationToken = stop },
                (name, cancellation) => store.Bodies.DeleteAsync(name, cancellation));
            await DeleteAsync(table, partition, old.ConvertAll(Write (row) => new Write.Delete(row.RowKey, only.Count == 0 ? null : row.ETag)));
            if (old.Count > 0)
                await RestAsync();
        }
        return !kept && !IsSpent;
    }

    /// <summary>
    /// In a single file, pauses for as long as was worked since the last pause: everybody else writes through the same thread.
    /// </summary>
    public async ValueTask RestAsync()
    {
        if (store.IsPartitioned)
            return;
        var worked = time.GetElapsedTime(Volatile.Read(ref _rested));
        if (worked > s_longestRest)
            worked = s_longestRest;
        if (worked > TimeSpan.Zero)
            await Task.Delay(worked, time, stop);
        Volatile.Write(ref _rested, time.GetTimestamp());
    }

    private async Task DeleteAsync(string table, string partition, List<Write> deletes)
    {
        if (deletes.Count == 0)
            return;
        if ((await store.Tables.CommitAsync(new Commit(table, partition, deletes), stop)).Applied)
        {
            Interlocked.Add(ref _removed, deletes.Count);
            return;
        }
        // Another process removed one of them, or it has changed: each on its own.
        foreach (var delete in deletes)
        {
            if ((await store.Tables.CommitAsync(new Commit(table, partition, [delete]), stop)).Applied)
                Interlocked.Increment(ref _removed);
        }
    }
}
