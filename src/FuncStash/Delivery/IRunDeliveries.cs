using FuncStash.Messages;

namespace FuncStash.Delivery;

/// <summary>What a delivery asks of the workflow run that its message is a part of.</summary>
public interface IRunDeliveries
{
    /// <summary>The run's side of a delivery that is due; null when the run has no use for it any more.</summary>
    ValueTask<RunDelivery?> FindAsync(StoredMessage stored, CancellationToken cancellation);

    /// <summary>The run's side of a delivery that the service itself fails at: the run fails with it.</summary>
    /// <param name="stored">The message.</param>
    /// <param name="hasCallbacks">False to leave out the run's failure function, which may be what the service fails at.</param>
    RunDelivery Failing(StoredMessage stored, bool hasCallbacks);

    /// <summary>Does what a run still owes to others.</summary>
    /// <param name="run">The run's key.</param>
    /// <param name="cancellation">Stops the work.</param>
    ValueTask SettleAsync(MessageId run, CancellationToken cancellation);

    /// <summary>Sends on its way what of a run nobody acts for, because whoever accepted it has died.</summary>
    /// <param name="run">The run's key.</param>
    /// <param name="cancellation">Stops the work.</param>
    ValueTask RouseAsync(MessageId run, CancellationToken cancellation);
}

/// <summary>The run's side of one delivery.</summary>
public abstract class RunDelivery
{
    /// <summary>The most that is read of the response, in bytes.</summary>
    public abstract int ResponseBytes { get; }

    /// <summary>What to send, made anew for each attempt and each time the same; null when it has been done already.</summary>
    /// <returns>The message with all headers that go along, and the body.</returns>
    public abstract ValueTask<(Message Message, byte[] Body)?> RequestAsync(CancellationToken cancellation);

    /// <summary>What an outcome counts as.</summary>
    public virtual AttemptOutcome Seen(AttemptOutcome outcome) => outcome;

    /// <summary>What follows from an outcome, which may be another thing for a run than for a message of its own.</summary>
    public abstract ValueTask<Verdict> JudgeAsync(AttemptOutcome outcome, Verdict verdict, CancellationToken cancellation);

    /// <summary>
    /// The message's next step with all that belongs to it in the run; asked for again when the run has changed before the
    /// step was applied.
    /// </summary>
    /// <param name="stored">The message before the step.</param>
    /// <param name="outcome">What the attempt brought.</param>
    /// <param name="verdict">What follows from it.</param>
    /// <param name="step">The step of the message alone.</param>
    public abstract ValueTask<Transition> SettleAsync(StoredMessage stored, AttemptOutcome outcome, Verdict verdict, Transition step);

    /// <summary>The step was applied.</summary>
    public abstract ValueTask SettledAsync();
}
