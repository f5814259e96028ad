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
    /// The commit may still conflict or never come: what was written down then is a ticket that makes no attempt, because the
    /// message's row has not the number of its wait. So each try to commit begins a wait of its own (<see cref="NewWait"/>).
    /// A ticket that comes before its commit makes none either: who commits sees whether it may have (<see cref="IsAhead"/>).
    /// </remarks>
    /// <returns>The work-queue messages that belong to the commit: those of all deliveries that wait in the work queue.</returns>
    ValueTask<IReadOnlyList<Send>> PlanAsync(IReadOnlyList<PlannedDelivery> deliveries, CancellationToken cancellation);

    /// <summary>The number of a wait that begins now and ends at <paramref name="dueAt"/> (unix ms); 0 for one in the work queue.</summary>
    int NewWait(long dueAt);

    /// <summary>Whether a delivery that is planned and committed was so before its ticket can have come.</summary>
    bool IsAhead(PlannedDelivery delivery);
}

/// <summary>A delivery that is to be made.</summary>
/// <param name="Ticket">The message, and the number under which it is sent on its way.</param>
/// <param name="DueAt">When it is due, in unix milliseconds.</param>
/// <param name="Wait">The number of its wait; 0 where that is in the work queue only.</param>
public readonly record struct PlannedDelivery(DeliveryTicket Ticket, long DueAt, int Wait = 0)
{
    /// <summary>Whether it is a retry. Not told by what waits in a bucket, where the due time tells all.</summary>
    public bool IsRetry { get; init; }
}
