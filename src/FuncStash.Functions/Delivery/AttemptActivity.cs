using FuncStash.Delivery;
using FuncStash.Messages;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Delivery;

/// <summary>Lets the service do what is due for a message.</summary>
/// <remarks>Durable may run it twice. The service then finds the message further on, and does not attempt it again.</remarks>
public sealed class AttemptActivity(DeliveryService deliveries, DurableSchedule schedule, TimeProvider time)
{
    public const string Name = "Attempt";

    // Timers are kept in Azure Queue storage, which counts whole seconds and cuts off the rest.
    private static readonly TimeSpan s_earliest = TimeSpan.FromSeconds(1);

    /// <returns>When to come again, in unix milliseconds; null when nothing more is to be done.</returns>
    [Function(Name)]
    public Task<long?> RunAsync([ActivityTrigger] DeliveryWait wait, [DurableClient] DurableTaskClient durable)
    {
        schedule.Use(durable);
        return RunAsync(wait);
    }

    // Not ended by a shut-down: what is cut off would have to be sent once more.
    internal async Task<long?> RunAsync(DeliveryWait wait)
    {
        if (!DeliveryTicket.TryParse(wait.Ticket, out var ticket))
            throw new FormatException($"not a delivery ticket: {wait.Ticket}");
        var early = DateTimeOffset.FromUnixTimeMilliseconds(wait.DueAt) - time.GetUtcNow();
        if (early > TimeSpan.Zero && early <= s_earliest)
            await Task.Delay(early, time);
        switch (await deliveries.RunAsync(ticket, lease: null))
        {
            case StepResult.Again again:
                return again.At;
            case StepResult.Crowded crowded:
                await schedule.QueueAsync(ticket, crowded.At, CancellationToken.None);
                return null;
            default:
                return null;
        }
    }
}
