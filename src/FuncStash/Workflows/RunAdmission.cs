using FuncStash.Admission;
using FuncStash.Messages;

namespace FuncStash.Workflows;

/// <summary>Puts messages of runs in line at their flow-control keys, as a publish does with its own.</summary>
public sealed class RunAdmission(AdmissionService admission, MessageStore messages, TimeProvider time)
{
    // Long enough for whoever accepted the message to have sent it on its way.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>True for a message that its key sends on its way.</summary>
    public bool JoinsAtOnce(Message message) => AdmissionService.JoinsAtOnce(message, Now);

    /// <summary>Puts messages that were just stored in line, and their limits into force.</summary>
    public async ValueTask AcceptAsync(IReadOnlyList<Message> accepted)
    {
        List<Task>? joining = null;
        foreach (var message in accepted)
        {
            if (AdmissionService.Governs(message))
                (joining ??= []).Add(admission.AcceptAsync(message, JoinsAtOnce(message)));
        }
        if (joining is not null)
            await Task.WhenAll(joining);
    }

    /// <summary>
    /// Sees to a message of which nobody knows whether it is on its way: who accepted it may have died before it was in line,
    /// or before whatever wakes it was set.
    /// </summary>
    public async ValueTask AcceptAgainAsync(MessageId id, CancellationToken cancellation = default)
    {
        if (await messages.GetAsync(id, cancellation) is not { Progress.State: MessageState.Created } there)
            return;
        if (JoinsAtOnce(there.Message))
            await admission.AcceptAgainAsync(there);
        else if (Now - there.Message.CreatedAt > s_patience.TotalMilliseconds)
            await messages.RestartAsync(there, cancellation);
    }

    /// <summary>The same for all messages of a run that are not under way.</summary>
    public async ValueTask AcceptAllAgainAsync(MessageId run, CancellationToken cancellation = default)
    {
        foreach (var id in await messages.OfRunAsync(run, cancellation))
            await AcceptAgainAsync(id, cancellation);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
