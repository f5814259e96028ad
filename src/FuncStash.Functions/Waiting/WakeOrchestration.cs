using System.Globalization;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FuncStash.Functions.Waiting;

/// <summary>The alarm of a minute. No message enters the history.</summary>
/// <param name="Minute">The start of the minute, in unix milliseconds.</param>
/// <param name="RingsAt">When it rings, in unix milliseconds.</param>
public sealed record MinuteAlarm(long Minute, long RingsAt)
{
    internal static MinuteAlarm Of(long minute) => new(minute, FuncStash.Waiting.Buckets.AlarmOf(minute));

    internal static string TextOf(long minute) =>
        DateTimeOffset.FromUnixTimeMilliseconds(minute).ToString("yyyyMMddHHmm", CultureInfo.InvariantCulture);
}

/// <summary>Waits until shortly before a minute, and has what waits for it woken: one activity a bucket.</summary>
/// <remarks>
/// An alarm clock and no more: what it does is found in the buckets, and what it does not do upkeep does. Orchestrations
/// outlive deployments: after a change of the steps, the new ones go under the next number, and this one stays until the last of
/// its instances has ended.
/// </remarks>
public static class WakeOrchestration
{
    public const string Name = "Wake_1";

    // For storage in trouble, and for a machine whose clock is behind; then upkeep sees to it.
    private static readonly TaskOptions s_tries = TaskOptions.FromRetryPolicy(new RetryPolicy(
        maxNumberOfAttempts: 4, firstRetryInterval: TimeSpan.FromSeconds(5), backoffCoefficient: 2));

    [Function(Name)]
    public static async Task RunAsync([OrchestrationTrigger] TaskOrchestrationContext context, MinuteAlarm alarm)
    {
        var ringsAt = DateTimeOffset.FromUnixTimeMilliseconds(alarm.RingsAt).UtcDateTime;
        if (ringsAt > context.CurrentUtcDateTime)
            await context.CreateTimer(ringsAt, CancellationToken.None);
        var shards = await context.CallActivityAsync<int[]>(WakeActivity.Name, new BucketToWake(alarm.Minute, null), s_tries);
        await Task.WhenAll(shards.Select(shard =>
            context.CallActivityAsync<int[]>(WakeActivity.Name, new BucketToWake(alarm.Minute, shard), s_tries)));
    }
}
