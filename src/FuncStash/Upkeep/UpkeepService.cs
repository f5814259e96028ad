using FuncStash.Waiting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Upkeep;

/// <summary>What has to be done now and then so that nothing is lost and nothing piles up.</summary>
/// <remarks>
/// Called about once a minute by every process; the processes take turns. A job that fails is logged and done again
/// when its turn comes.
/// </remarks>
public sealed partial class UpkeepService(
    UpkeepTurns turns, Purge purge, Sweep sweep, RunSweep runs, GateSweep gates, BucketWatch waits, ILogger<UpkeepService> log)
{
    // Some a little less than the minute after which they are called.
    private static readonly TimeSpan s_waitsPeriod = TimeSpan.FromSeconds(50), s_gatesPeriod = TimeSpan.FromSeconds(50), s_sweepPeriod = TimeSpan.FromMinutes(5),
        s_purgePeriod = TimeSpan.FromHours(1);

    /// <summary>Does the jobs that are due.</summary>
    public async Task RunAsync(CancellationToken stop = default)
    {
        await TryAsync("waits", s_waitsPeriod, async () =>
        {
            await waits.RunAsync(stop);
            return false;
        }, stop);
        await TryAsync("gates", s_gatesPeriod, async () =>
        {
            await gates.RunAsync(stop);
            return false;
        }, stop);
        await TryAsync("sweep", s_sweepPeriod, async () =>
        {
            await sweep.RunAsync(stop);
            await runs.RunAsync(stop);
            return sweep.HasMore;
        }, stop);
        await TryAsync("purge", s_purgePeriod, async () =>
        {
            var done = await purge.RunAsync(stop);
            if (done.Removed > 0)
                LogPurged(log, done.Removed);
            return done.More;
        }, stop);
    }

    private async Task TryAsync(string job, TimeSpan period, Func<Task<bool>> run, CancellationToken stop)
    {
        try
        {
            if (await turns.TryTakeAsync(job, period, stop) && await run())
                await turns.GiveBackAsync(job, stop);
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            LogFailed(log, error, job);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "purged {Rows} rows that outlived their retention")]
    private static partial void LogPurged(ILogger log, int rows);

    [LoggerMessage(Level = LogLevel.Error, Message = "upkeep job {Job} failed and is done again at its next turn")]
    private static partial void LogFailed(ILogger log, Exception error, string job);
}
