using FuncStash.Cancelling;
using FuncStash.Messages;

namespace FuncStash.Workflows;

/// <summary>Cancels a message, whatever it is a part of (protocol#cancel).</summary>
public sealed class MessageCancellation(MessageStore messages, Cancellation cancellation, RunEnds runs, RunLetters letters)
{
    /// <summary>Cancels a message; with one that a workflow run waits for, the run ends: it would wait for ever.</summary>
    /// <returns>False when it had ended already, or there is none.</returns>
    public async ValueTask<bool> CancelAsync(MessageId id, CancellationToken stop = default) =>
        (id.IsOfRun && await messages.GetAsync(id, stop) is { Ended: false } stored ? stored.Message.Run : null) switch
        {
            { Role: RunRole.Failure } part => await letters.CancelFailureAsync(part.Run, id, stop) || await cancellation.CancelAsync(id, stop),
            { } part => await runs.CancelAsync(part.Run, stop),
            null => await cancellation.CancelAsync(id, stop),
        };
}
