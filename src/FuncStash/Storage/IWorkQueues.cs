namespace FuncStash.Storage;

/// <summary>Queues of work, each message held under a lease by one worker at a time; at least once, no order promised.</summary>
public interface IWorkQueues
{
    /// <summary>The longest delay of a message and the longest lease: 7 days in Azure Queue storage.</summary>
    static readonly TimeSpan MaxDelay = TimeSpan.FromDays(7);

    /// <summary>Sends messages; they survive the loss of the process and of power once this returns.</summary>
    ValueTask SendAsync(IReadOnlyList<Send> sends, CancellationToken cancellation = default);

    /// <summary>Takes messages that are visible, each under a lease of <paramref name="lease"/>.</summary>
    /// <param name="queue">The queue's name.</param>
    /// <param name="max">At most so many, at least 1.</param>
    /// <param name="lease">After this the message is visible again, unless renewed or deleted.</param>
    /// <param name="wait">How long to wait for the first message; a send in this process ends the wait at once.</param>
    /// <param name="cancellation">Ends the wait.</param>
    ValueTask<IReadOnlyList<Lease>> ReceiveAsync(
        string queue, int max, TimeSpan lease, TimeSpan wait, CancellationToken cancellation = default);

    /// <summary>Makes the message visible again after <paramref name="visibleIn"/> from now: a longer lease, or a postponement.</summary>
    /// <returns>False when the lease was lost: it ran out and somebody else has the message, or it is gone.</returns>
    ValueTask<bool> RenewAsync(Lease lease, TimeSpan visibleIn, CancellationToken cancellation = default);

    /// <summary>Deletes the message. False when the lease was lost.</summary>
    ValueTask<bool> DeleteAsync(Lease lease, CancellationToken cancellation = default);

    /// <summary>Moves a message that nobody can handle to the queue named <c>NAME-poison</c>. False when the lease was lost.</summary>
    ValueTask<bool> PoisonAsync(Lease lease, CancellationToken cancellation = default);

    /// <summary>About how many messages there are, visible or not.</summary>
    ValueTask<long> CountAsync(string queue, CancellationToken cancellation = default);

    /// <summary>
    /// The queues of the storage in which this one lies (<see cref="QueueSpread"/>), itself the first: what is sent may go to any of
    /// them, and a <see cref="Lease"/> says of which it is.
    /// </summary>
    IReadOnlyList<string> NamesOf(string queue) => [queue];

    /// <summary>Sends the same message to each of the queues in which this one lies.</summary>
    ValueTask SendToEachAsync(string queue, string text, CancellationToken cancellation = default) =>
        SendAsync([new Send(queue, text)], cancellation);

    /// <summary>Brings what is visible in queues in which this one lay before, and from which nothing is received any more, to those in which it lies.</summary>
    /// <returns>False when there is more of it.</returns>
    ValueTask<bool> GatherAsync(string queue, CancellationToken cancellation = default) => new(true);
}

/// <summary>A message for a work queue. <paramref name="Delay"/> is at most <see cref="IWorkQueues.MaxDelay"/>.</summary>
/// <param name="Queue">Lower-case letters, digits and hyphens, 3 to 50 characters.</param>
/// <param name="Text">At most 32 KiB.</param>
/// <param name="Delay">How long the message stays invisible.</param>
public sealed record Send(string Queue, string Text, TimeSpan Delay = default);

/// <summary>A message held by a worker. Adapters derive from it to keep what they need to find the message again.</summary>
public abstract class Lease(string queue, string text, int dequeueCount)
{
    /// <summary>The queue that it was received from, one of <see cref="IWorkQueues.NamesOf"/>.</summary>
    public string Queue { get; } = queue;

    public string Text { get; } = text;

    /// <summary>How often this message was received, this time included.</summary>
    public int DequeueCount { get; } = dequeueCount;
}
