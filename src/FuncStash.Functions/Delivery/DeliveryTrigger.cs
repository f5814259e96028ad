using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using Microsoft.Azure.Functions.Worker;

namespace FuncStash.Functions.Delivery;

/// <summary>Every attempt, straight from the work queue, and gates to be looked at again.</summary>
/// <remarks>
/// The host renews the queue message while this runs, deletes it afterwards, and gives it again when this failed or was
/// cut off; after maxDequeueCount of host.json it goes to the poison queue. While the storage is away the host could not give
/// anything back, and its lease would hold it for minutes: so this waits for its return, and does it then.
/// </remarks>
public sealed class DeliveryTrigger(
    DeliveryService deliveries, StoreTrouble trouble, FuncStashOptions options, TimeProvider time)
{
    /// <summary>The work queue under its name in the storage account.</summary>
    public const string Queue = "funcstash-" + WorkItem.Queue;

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100), s_longestPause = TimeSpan.FromSeconds(5);

    // Not ended by a shut-down: what is cut off would have to be sent once more.
    [Function("Deliver")]
    public async Task RunAsync([QueueTrigger(Queue)] string text)
    {
        var began = time.GetTimestamp();
        for (var pause = s_firstPause; ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            await trouble.OverAsync(CancellationToken.None);
            try
            {
                if (await deliveries.RunAsync(text, new HostLease(text)) is null)
                    throw new FormatException($"nothing to be delivered: {text}");
                return;
            }
            catch (Exception fault) when (trouble.IsFault(fault) && HasTimeSince(began))
            {
                trouble.Note(fault);
            }
            // Storage that takes small writes may still refuse this one for a while.
            await Task.Delay(pause, time);
        }
    }

    private bool HasTimeSince(long began) =>
        options.SettlingTime == Timeout.InfiniteTimeSpan || time.GetElapsedTime(began) < options.SettlingTime;
}
