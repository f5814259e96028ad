using FuncStash.Storage;
using Microsoft.Extensions.Logging;

namespace FuncStash.Waiting;

/// <summary>Sees once a minute to the buckets that nobody set an alarm for, whose alarm did not ring, or whose waker died.</summary>
public sealed partial class BucketWatch(
    Buckets buckets, BucketWaker waker, IAlarmClock alarms, IStore store, TimeProvider time, ILogger<BucketWatch> log)
{
    // When its minute is over for so long, nobody writes to a bucket any more.
    private const long OverMs = 3 * WaitTimes.MinuteMs;

    public async Task RunAsync(CancellationToken stop = default)
    {
        await foreach (var bucket in buckets.ListAsync(Now + WaitTimes.HorizonMs, stop))
        {
            try
            {
                await SeeToAsync(bucket, stop);
            }
            catch (Exception error) when (error is not OperationCanceledException && !store.IsFault(error))
            {
                // What is wrong with one bucket is no reason to leave the others.
                LogFailed(log, error, WaitTimes.TextOf(bucket.Minute));
            }
        }
    }

    private async Task SeeToAsync(Bucket bucket, CancellationToken stop)
    {
        if (bucket.Minute > Now && (await alarms.SetAsync(bucket.Minute, stop) || WaitTimes.AlarmOf(bucket.Minute) > Now))
            return;
        if (await waker.WakeAsync(bucket, stop) != Waking.Empty || Now < bucket.Minute + WaitTimes.MinuteMs + OverMs)
            return;
        await buckets.ForgetAsync(bucket, stop);
        await alarms.ForgetAsync(bucket.Minute, stop);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Error, Message = "what waits for {Minute} cannot be woken")]
    private static partial void LogFailed(ILogger log, Exception error, string minute);
}
