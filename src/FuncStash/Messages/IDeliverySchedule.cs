using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>How a host sees to it that a message is attempted when it is due: the seam between the hosts.</summary>
public interface IDeliverySchedule
{
    /// <summary>
    /// Called before the commit that promises deliveries. What is to wait outside of the work queue is written down now, so
    /// that nobody who dies after the commit leaves a message that nothing acts for.
    /// </summary>
    /// <remarks>
    /// The commit may still conflict or never come: what was written down then is a ticket that finds nothing to do. Planning
    /// the same delivery twice plans it once.
    /// </remarks>
    /// <returns>The work-queue messages that belong to the commit: those of all deliveries that wait in the work queue.</returns>
    ValueTask<IReadOnlyList<Send>> PlanAsync(IReadOnlyList<PlannedDelivery> deliveries, CancellationToken cancellation);
}

/// <summary>A delivery that is due at <paramref name="DueAt"/>, in unix milliseconds.</summary>
public readonly record struct PlannedDelivery(DeliveryTicket Ticket, long DueAt);
