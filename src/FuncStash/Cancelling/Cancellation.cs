using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Cancelling;

/// <summary>Cancels messages: once acknowledged, no further attempt starts (protocol#cancel).</summary>
/// <remarks>What waits for a cancelled message finds it ended when it is due, and is dropped.</remarks>
public sealed class Cancellation(MessageStore messages, AdmissionService admission, TimeProvider time)
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
                return true;
            }
        }
        return false;
    }
}
