using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>The embedded server's schedule: every delivery is a work-queue message, delayed ones with a visibility delay.</summary>
public sealed class QueueSchedule(TimeProvider time) : IDeliverySchedule
{
    public ValueTask<IReadOnlyList<Send>> PlanAsync(IReadOnlyList<PlannedDelivery> deliveries, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var sends = new Send[deliveries.Count];
        for (var i = 0; i < sends.Length; i++)
            sends[i] = deliveries[i].Ticket.ToSend(TimeSpan.FromMilliseconds(deliveries[i].DueAt - now));
        return new(sends);
    }

    public int NewWait(long dueAt) => 0;

    public bool IsAhead(PlannedDelivery delivery) => true;
}
