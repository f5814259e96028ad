using System.Globalization;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Delivery;

/// <summary>The text of a work-queue message: which message to attempt, and under which number.</summary>
public readonly record struct DeliveryTicket(MessageId Id, int Number)
{
    /// <summary>The work queue of deliveries.</summary>
    public const string Queue = "deliveries";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id.Text}|{Number}");

    public Send ToSend(TimeSpan delay) =>
        new(Queue, ToString(), delay > IWorkQueues.MaxDelay ? IWorkQueues.MaxDelay : delay < TimeSpan.Zero ? TimeSpan.Zero : delay);

    public static bool TryParse(string text, out DeliveryTicket ticket)
    {
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        ticket = default;
        if (bar < 0 || !MessageId.TryParse(text[..bar], out var id)
            || !int.TryParse(text.AsSpan(bar + 1), CultureInfo.InvariantCulture, out var number))
            return false;
        ticket = new DeliveryTicket(id, number);
        return true;
    }
}

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
