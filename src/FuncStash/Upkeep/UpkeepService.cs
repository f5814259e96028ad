using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Waiting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>What has to be done now and then so that nothing is lost and nothing piles up.</summary>
/// <remarks>
/// Called about once a minute by every process; the processes take turns. A job that has more to do than its turn is long goes
/// on at once, after those that are due meanwhile. One that fails is logged and done again when its turn comes.
/// </remarks>
public sealed partial class UpkeepService(
    IStore store, UpkeepTurns turns, Purge purge, IndexPurge indexes, BodySweep bodies, Sweep sweep, RunSweep runs, GateSweep gates, BucketWatch waits,
    TimeProvider time, ILogger<UpkeepService> log)
{
    private const string SweepOfAll = "sweep of all days";

    // Some a little less than the minute after which they are called.
    private static readonly TimeSpan s_waitsPeriod = TimeSpan.FromSeconds(50), s_gatesPeriod = TimeSpan.FromSeconds(50),
        s_sweepPeriod = TimeSpan.FromMinutes(5), s_purgePeriod = TimeSpan.FromHours(1),
        s_indexesPeriod = TimeSpan.FromDays(1), s_bodiesPeriod = TimeSpan.FromDays(1);

    // Days whose messages are looked at more seldom: each look costs sixteen operations a day, and of old messages few are live.
    private static readonly TimeSpan s_oldPeriod = TimeSpan.FromHours(1);

    /// <summary>Does the jobs that are due, until none has more to do.</summary>
    public async Task RunAsync(CancellationToken stop = default)
    {
        while (await RoundAsync(stop))
        {
        }
    }

    // True when a job has more to do.
    private async Task<bool> RoundAsync(CancellationToken stop)
    {
        if (await TryListAsync(stop) is not { } all)
            return false;
        var more = false;
        more |= await TryAsync(all, "waits", s_waitsPeriod, async () =>
        {
            await waits.RunAsync(stop);
            return !await store.Queues.GatherAsync(WorkItem.Queue, stop);
        }, stop);
        await TryAsync(all, "gates", s_gatesPeriod, async () =>
        {
            await gates.RunAsync(stop);
            return false;
        }, stop);
        more |= await TryAsync(all, "sweep", s_sweepPeriod, async () =>
        {
            await SweepAsync(await turns.TryTakeAsync(all, SweepOfAll, s_oldPeriod, stop), stop);
            return sweep.HasMore;
        }, stop);
        more |= await TryAsync(all, "purge", s_purgePeriod, async () =>
        {
            var done = await purge.RunAsync(stop);
            if (done.Removed > 0)
                LogPurged(log, done.Removed);
            return done.More;
        }, stop);
        await TryAsync(all, "indexes", s_indexesPeriod, async () =>
        {
            var removed = await indexes.RunAsync(stop);
            if (removed > 0)
                LogPurged(log, removed);
            return false;
        }, stop);
        more |= await TryAsync(all, "bodies", s_bodiesPeriod, async () =>
        {
            var done = await bodies.RunAsync(stop);
            if (done.Removed > 0)
                LogSwept(log, done.Removed);
            return done.More;
        }, stop);
        return more;
    }

    private async Task SweepAsync(bool ofAllDays, CancellationToken stop)
    {
        // Those of the last hour of a day are new when the day is over.
        var firstDay = ofAllDays ? 0 : MessageId.DayOf((time.GetUtcNow() - s_oldPeriod).ToUnixTimeMilliseconds());
        try
        {
            await sweep.RunAsync(firstDay, stop);
            await runs.RunAsync(firstDay, stop);
        }
        catch when (ofAllDays && !stop.IsCancellationRequested)
        {
            await turns.GiveBackAsync(SweepOfAll, stop);
            throw;
        }
    }

    private async Task<IReadOnlyDictionary<string, Entity>?> TryListAsync(CancellationToken stop)
    {
        try
        {
            return await turns.ListAsync(stop);
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            LogNoTurns(log, error);
            return null;
        }
    }

    private async Task<bool> TryAsync(
        IReadOnlyDictionary<string, Entity> all, string job, TimeSpan period, Func<Task<bool>> run, CancellationToken stop)
    {
        try
        {
            if (!await turns.TryTakeAsync(all, job, period, stop) || !await run())
                return false;
            await turns.GiveBackAsync(job, stop);
            return true;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            LogFailed(log, error, job);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "purged {Rows} rows that outlived their retention")]
    private static partial void LogPurged(ILogger log, int rows);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed {Payloads} payloads that nothing names")]
    private static partial void LogSwept(ILogger log, int payloads);

    [LoggerMessage(Level = LogLevel.Error, Message = "whose turn upkeep is cannot be read; it is looked again in a minute")]
    private static partial void LogNoTurns(ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "upkeep job {Job} failed and is done again at its next turn")]
    private static partial void LogFailed(ILogger log, Exception error, string job);
}
