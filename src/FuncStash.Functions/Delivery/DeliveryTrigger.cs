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
/// anything back, and its lease would hold it for minutes: so this waits for its return, and does it then. A trigger names one
/// queue, so there is one for each in which the work queue may lie; <see cref="TriggersInUse"/> tells the host of those that are used.
/// </remarks>
public sealed class DeliveryTrigger(
    DeliveryService deliveries, StoreTrouble trouble, FuncStashOptions options, TimeProvider time)
{
    /// <summary>The first of the functions; the others have their number behind it.</summary>
    internal const string Name = "Deliver";

    /// <summary>The work queue under its name in the storage account.</summary>
    public const string Queue = "funcstash-" + WorkItem.Queue;

    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(100), s_longestPause = TimeSpan.FromSeconds(5);

    [Function(Name)]
    public Task RunAsync([QueueTrigger(Queue)] string text) => DeliverAsync(text, 1);

    [Function(Name + "2")]
    public Task Run2Async([QueueTrigger(Queue + "-2")] string text) => DeliverAsync(text, 2);

    [Function(Name + "3")]
    public Task Run3Async([QueueTrigger(Queue + "-3")] string text) => DeliverAsync(text, 3);

    [Function(Name + "4")]
    public Task Run4Async([QueueTrigger(Queue + "-4")] string text) => DeliverAsync(text, 4);

    [Function(Name + "5")]
    public Task Run5Async([QueueTrigger(Queue + "-5")] string text) => DeliverAsync(text, 5);

    [Function(Name + "6")]
    public Task Run6Async([QueueTrigger(Queue + "-6")] string text) => DeliverAsync(text, 6);

    [Function(Name + "7")]
    public Task Run7Async([QueueTrigger(Queue + "-7")] string text) => DeliverAsync(text, 7);

    [Function(Name + "8")]
    public Task Run8Async([QueueTrigger(Queue + "-8")] string text) => DeliverAsync(text, 8);

    // Not ended by a shut-down: what is cut off would have to be sent once more.
    private async Task DeliverAsync(string text, int number)
    {
        var queue = QueueSpread.NameOf(WorkItem.Queue, number);
        var began = time.GetTimestamp();
        for (var pause = s_firstPause; ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            await trouble.OverAsync(CancellationToken.None);
            try
            {
                if (await deliveries.RunAsync(text, new HostLease(text, queue)) is null)
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
