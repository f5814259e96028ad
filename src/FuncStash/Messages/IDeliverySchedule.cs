using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>How a host sees to it that a message is attempted when it is due: the seam between the hosts.</summary>
/// <remarks>
/// A message goes by the work queue when <see cref="Queue"/> gives a send for it, which then belongs to the commit that
/// stores the message; otherwise <see cref="StartAsync"/> is called after that commit.
/// </remarks>
public interface IDeliverySchedule
{
    /// <summary>The work-queue message for this delivery, or null when the host starts it in another way.</summary>
    Send? Queue(Message message, int ticket, long dueAt);

    /// <summary>Starts a delivery that does not go by the work queue. Starting one twice starts it once.</summary>
    /// <exception cref="DeliveryScheduleException">The host cannot now; it says nothing about the message.</exception>
    ValueTask StartAsync(Message message, int ticket, long dueAt, CancellationToken cancellation);

    /// <summary>Tells a waiting delivery that its message has changed: cancelled, or due at another time.</summary>
    /// <remarks>A hint: without it the delivery finds out when it is due.</remarks>
    ValueTask WakeAsync(Message message, int ticket, CancellationToken cancellation);
}

/// <summary>The host cannot start a delivery at the moment.</summary>
public sealed class DeliveryScheduleException(Exception cause) : Exception("the delivery could not be started", cause);
