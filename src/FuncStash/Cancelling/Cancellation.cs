using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Cancelling;

/// <summary>Cancels messages: once acknowledged, no further attempt starts (protocol#cancel).</summary>
public sealed class Cancellation(
    MessageStore messages, AdmissionService admission, IDeliverySchedule schedule, TimeProvider time)
{
    /// <returns>False when there was nothing to cancel: unknown, or ended already.</returns>
    public async ValueTask<bool> CancelAsync(MessageId id, CancellationToken cancellation = default)
    {
        while (await messages.GetAsync(id, cancellation) is { Ended: false } stored)
        {
            // In the log nothing comes before the creation, which another clock may have told.
            var now = Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), id.CreatedAt);
            var number = stored.Progress.Events;
            var step = new Transition(
                stored.Progress with { State = MessageState.Canceled, EndedAt = now, Events = number + 2 },
                [
                    new LogEvent(id.Text, MessageState.CancelRequested, now, number),
                    new LogEvent(id.Text, MessageState.Canceled, now, number + 1),
                ]);
            if (await messages.ApplyAsync(stored, step, cancellation: cancellation) is not null)
            {
                Metrics.Cancelled(stored.Message.Kind());
                if (AdmissionService.Governs(stored.Message))
                    await admission.CancelledAsync(stored);
                await schedule.WakeAsync(stored.Message, stored.Progress.Ticket, cancellation);
                return true;
            }
        }
        return false;
    }
}
