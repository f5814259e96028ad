using FuncStash.Admission;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Delivery;

/// <summary>Finds out why a message waits, in the order in which it is held up: its time, its queue, its flow-control key, its destination.</summary>
public sealed class WaitReader(Gates gates, DestinationLanes lanes, FuncStashOptions options, TimeProvider time)
{
    /// <summary>How many of those that stand before a message are counted at most.</summary>
    public const int MostAhead = 1_000;

    public async ValueTask<WaitReason> ReadAsync(StoredMessage stored, CancellationToken cancellation = default)
    {
        var (message, progress) = (stored.Message, stored.Progress);
        if (stored.Ended)
            return new WaitReason.Ended();
        if (progress.State == MessageState.Active)
            return new WaitReason.InFlight(progress.ActiveSince);
        if (progress.DueAt > time.GetUtcNow().ToUnixTimeMilliseconds())
        {
            return progress.State == MessageState.Retry
                ? new WaitReason.Retry(progress.DueAt, progress.Retried, message.MaxRetries)
                : new WaitReason.Delayed(progress.DueAt);
        }
        if (message.QueueName is { } queue && await InLineAsync(GateKind.Queue, queue) is { } inQueue)
            return inQueue;
        if (message.FlowControl is { } flow && await InLineAsync(GateKind.FlowKey, flow.Key) is { } atKey)
            return atKey;
        return lanes.Look(message.Url) is var (inFlight, places) && inFlight >= places
            ? new WaitReason.Destination(places, options.DestinationParallelism)
            : new WaitReason.Due();

        async ValueTask<WaitReason?> InLineAsync(GateKind kind, string name) =>
            await gates.PlaceAsync(kind, name, Candidate.Of(message, progress, kind), MostAhead, cancellation) is var (state, ahead)
                ? new WaitReason.InLine(kind, name, state, ahead)
                : null;
    }
}
