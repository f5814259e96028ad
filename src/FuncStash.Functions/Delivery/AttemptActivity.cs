using FuncStash.Messages;
using FuncStash.Storage;
using Microsoft.Azure.Functions.Worker;

namespace FuncStash.Functions.Delivery;

/// <summary>Sends a message whose wait was an orchestration to the work queue, where every attempt is made.</summary>
/// <remarks>To be removed with <see cref="DeliveryOrchestration"/>. Durable may run it twice: the message then has two tickets of one number.</remarks>
public sealed class AttemptActivity(IStore store)
{
    public const string Name = "Attempt";

    /// <returns>Always null: there is nothing to come again for.</returns>
    [Function(Name)]
    public async Task<long?> RunAsync([ActivityTrigger] DeliveryWait wait)
    {
        if (!DeliveryTicket.TryParse(wait.Ticket, out var ticket))
            throw new FormatException($"not a delivery ticket: {wait.Ticket}");
        await store.Queues.SendAsync([ticket.ToSend()]);
        return null;
    }
}
