using FuncStash.Delivery;
using FuncStash.Messages;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Delivery;

/// <summary>First attempts, straight from the work queue, and gates to be looked at again; what needs another attempt goes on as an orchestration.</summary>
/// <remarks>
/// The host renews the queue message while this runs, deletes it afterwards, and gives it again when this failed or was
/// cut off; after maxDequeueCount of host.json it goes to the poison queue.
/// </remarks>
public sealed class DeliveryTrigger(DeliveryService deliveries, DurableSchedule schedule)
{
    /// <summary>The work queue under its name in the storage account.</summary>
    public const string Queue = "funcstash-" + WorkItem.Queue;

    [Function("Deliver")]
    public Task RunAsync([QueueTrigger(Queue)] string text, [DurableClient] DurableTaskClient durable)
    {
        schedule.Use(durable);
        return RunAsync(text);
    }

    internal async Task RunAsync(string text)
    {
        var result = await deliveries.RunAsync(text, lease: null) ?? throw new FormatException($"nothing to be delivered: {text}");
        if (!DeliveryTicket.TryParse(text, out var ticket))
            return;
        if (result is StepResult.Again again)
            await schedule.StartAsync(ticket, again.At, CancellationToken.None);
        else if (result is StepResult.Crowded crowded)
            await schedule.QueueAsync(ticket, crowded.At, CancellationToken.None);
    }
}
