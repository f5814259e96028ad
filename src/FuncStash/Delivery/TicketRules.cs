using FuncStash.Messages;

namespace FuncStash.Delivery;

/// <summary>What a ticket that has come is to its message.</summary>
internal enum TicketStanding
{
    /// <summary>It is there for the next attempt.</summary>
    Current,

    /// <summary>Of a wait that the message never had: another try to store it was the one that did. It concerns no ended message either.</summary>
    Orphan,

    /// <summary>Another has taken its place. On a message that has ended there may be work left from its time.</summary>
    Stale,

    /// <summary>Of an attempt that was made, or of a step that is not stored, and perhaps never will be.</summary>
    Doubtful,
}

/// <summary>Tells a message's ticket from those of its earlier attempts, and of steps that were not stored or were done again.</summary>
internal static class TicketRules
{
    /// <param name="delivery">The ticket, with what it says of its wait.</param>
    /// <param name="progress">The message's, as it is stored.</param>
    /// <param name="isHosts">
    /// Whether a host holds the ticket, which has one sent for each attempt. A lease is kept for the next, whatever its text says.
    /// </param>
    public static TicketStanding Of(WorkItem.Deliver delivery, Progress progress, bool isHosts)
    {
        if (delivery.Ticket.Number < progress.Ticket)
            return TicketStanding.Stale;
        if (delivery.Ticket.Number > progress.Ticket)
            return delivery.Wait == 0 ? TicketStanding.Current : TicketStanding.Doubtful;
        if (delivery.DueAt == progress.DueAt)
            return delivery.Wait == 0 || delivery.Wait == progress.Wait ? TicketStanding.Current : TicketStanding.Orphan;
        if (!isHosts)
            return TicketStanding.Current;
        if (delivery.DueAt is null)
            return progress.Retried == 0 ? TicketStanding.Current : TicketStanding.Doubtful;
        return delivery.DueAt > progress.DueAt || progress.Retried == 0 ? TicketStanding.Stale : TicketStanding.Doubtful;
    }
}
