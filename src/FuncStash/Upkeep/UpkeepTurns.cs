using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Upkeep;

/// <summary>Shares the jobs that one process at a time is enough for.</summary>
/// <remarks>A process that dies in its turn only leaves the job to the next one: no job is harmed by being done twice.</remarks>
public sealed class UpkeepTurns(ITables tables, TimeProvider time)
{
    internal const string Table = "upkeep", Partition = "turns";

    // More than there are jobs.
    private const int MaxJobs = 100;

    /// <summary>All turns as they are, in one operation; a job that nobody has done yet has none.</summary>
    public async ValueTask<IReadOnlyDictionary<string, Entity>> ListAsync(CancellationToken cancellation = default) =>
        (await tables.QueryAsync(Table, Partition, RowRange.Prefix(""), MaxJobs, null, cancellation)).ToDictionary(row => row.RowKey);

    /// <summary>Takes the turn of a job that is due.</summary>
    public async ValueTask<bool> TryTakeAsync(string job, TimeSpan period, CancellationToken cancellation = default) =>
        await TryTakeAsync(await ListAsync(cancellation), job, period, cancellation);

    /// <summary>Takes the turn of a job that is due, unless another has taken it since the turns were listed.</summary>
    /// <param name="turns">The turns (<see cref="ListAsync"/>).</param>
    /// <param name="job">The job's name.</param>
    /// <param name="period">After which it is due again.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<bool> TryTakeAsync(
        IReadOnlyDictionary<string, Entity> turns, string job, TimeSpan period, CancellationToken cancellation = default)
    {
        var row = turns.GetValueOrDefault(job);
        var now = time.GetUtcNow();
        var left = row?.Number("NextAt") - now.ToUnixTimeMilliseconds();
        if (left > 0 && left <= (long)period.TotalMilliseconds + Clocks.SkewMs)
            return false;
        var turn = Row(job, now + period);
        Write write = row is null ? new Write.Insert(turn) : new Write.Replace(turn, row.ETag!);
        return (await tables.CommitAsync(new Commit(Table, Partition, [write]), cancellation)).Applied;
    }

    /// <summary>Makes a job due again at once: there is more of it to do.</summary>
    public async ValueTask GiveBackAsync(string job, CancellationToken cancellation = default) =>
        await tables.CommitAsync(new Commit(Table, Partition, [new Write.Upsert(Row(job, time.GetUtcNow()))]), cancellation);

    private static Entity Row(string job, DateTimeOffset next) =>
        new(Partition, job, new Dictionary<string, object> { ["NextAt"] = next.ToUnixTimeMilliseconds() });
}
