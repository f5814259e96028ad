using FuncStash.Delivery;
using FuncStash.Functions.Waiting;
using FuncStash.Messages;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Delivery;

/// <summary>Every attempt, straight from the work queue, and gates to be looked at again.</summary>
/// <remarks>
/// The host renews the queue message while this runs, deletes it afterwards, and gives it again when this failed or was
/// cut off; after maxDequeueCount of host.json it goes to the poison queue.
/// </remarks>
public sealed class DeliveryTrigger(DeliveryService deliveries, DurableAlarms alarms)
{
    /// <summary>The work queue under its name in the storage account.</summary>
    public const string Queue = "funcstash-" + WorkItem.Queue;

    [Function("Deliver")]
    public Task RunAsync([QueueTrigger(Queue)] string text, [DurableClient] DurableTaskClient durable)
    {
        alarms.Use(durable);
        return RunAsync(text);
    }

    // Not ended by a shut-down: what is cut off would have to be sent once more.
    internal async Task RunAsync(string text)
    {
        if (await deliveries.RunAsync(text, new HostLease(text)) is null)
            throw new FormatException($"nothing to be delivered: {text}");
    }
}
