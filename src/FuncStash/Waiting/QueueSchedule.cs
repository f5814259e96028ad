using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>The embedded server's schedule: every delivery is a work-queue message, delayed ones with a visibility delay.</summary>
public sealed class QueueSchedule(TimeProvider time) : IDeliverySchedule
{
    public Send? Queue(Message message, int ticket, long dueAt) =>
        new DeliveryTicket(message.Id, ticket)
            .ToSend(TimeSpan.FromMilliseconds(dueAt - time.GetUtcNow().ToUnixTimeMilliseconds()));

    public ValueTask StartAsync(Message message, int ticket, long dueAt, CancellationToken cancellation) =>
        throw new InvalidOperationException("every delivery goes by the work queue");

    // The work-queue message finds its message ended when it becomes visible, and is dropped.
    public ValueTask WakeAsync(Message message, int ticket, CancellationToken cancellation) => ValueTask.CompletedTask;
}
