using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Queues;

/// <summary>A FIFO queue (protocol#queues).</summary>
/// <param name="Lag">How many of its messages have not reached their end: in line, or let in.</param>
public sealed record QueueInfo(string Name, long CreatedAt, long UpdatedAt, int Parallelism, bool Paused, int Lag)
{
    public static QueueInfo Of(string name, GateState state) => new(
        name, state.CreatedAt, state.UpdatedAt, state.Parallelism ?? 1, state.Paused, state.Waiting + state.Inside.Count);
}

/// <summary>Manages queues: gates that let a message in until it, its retries and its callbacks have ended.</summary>
public sealed class QueueService(Gates gates, Cancellation cancellation, TimeProvider time)
{
    /// <summary>Refuses what cannot be the name of a queue.</summary>
    /// <exception cref="QStashException">400.</exception>
    public static string Checked(string name) => ResourceName.IsValid(name)
        ? name
        : throw QStashException.BadRequest($"invalid queue name: {name}: it is {ResourceName.Rule}");

    /// <summary>Creates or changes a queue; what is null stays as it is.</summary>
    /// <exception cref="QStashException">400 for a name or a parallelism that no queue can have.</exception>
    public Task UpsertAsync(string name, int? parallelism, bool? paused)
    {
        Checked(name);
        if (parallelism is < 1)
            throw QStashException.BadRequest($"invalid parallelism: {parallelism}: must be at least 1");
        return gates.ChangeAsync(GateKind.Queue, name, state => GateRules.Pause(
            state with { Parallelism = parallelism ?? state.Parallelism ?? 1 },
            paused ?? state.Paused, time.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    /// <summary>Who is in a queue and who is next, so many of either; null when there is no such queue.</summary>
    public ValueTask<GateLine?> LineAsync(string name, int take, CancellationToken cancellation = default) =>
        gates.LineAsync(GateKind.Queue, name, take, cancellation);

    public async ValueTask<QueueInfo?> GetAsync(string name, CancellationToken cancellation = default) =>
        await gates.GetAsync(GateKind.Queue, name, cancellation) is { } state ? QueueInfo.Of(name, state) : null;

    public IAsyncEnumerable<QueueInfo> ListAsync(CancellationToken cancellation = default) =>
        gates.ListAsync(GateKind.Queue, cancellation: cancellation).Select(gate => QueueInfo.Of(gate.Name, gate.State));

    /// <summary>Cancels the queue's messages and forgets it; one that is not there is no error.</summary>
    public async Task DeleteAsync(string name, CancellationToken stop = default)
    {
        // Nobody is let in while the line is emptied.
        if (await gates.GetAsync(GateKind.Queue, name, stop) is null)
            return;
        await gates.ChangeAsync(GateKind.Queue, name, state => state with { Paused = true });
        while (await gates.GetAsync(GateKind.Queue, name, stop) is { } state)
        {
            var line = await gates.WaitingAsync(GateKind.Queue, name, 100, cancellation: stop);
            // Not the callbacks that hold a place: they report on what was delivered already.
            var inside = state.Inside.Where(slot => slot.HeldBy().Contains(slot.Message)).Select(slot => slot.Message);
            foreach (var message in line.Select(candidate => candidate.Message).Concat(inside))
                await cancellation.CancelAsync(MessageId.Parse(message), stop);
            // What ended before it was cancelled stays behind, if its worker died.
            foreach (var candidate in line)
                await gates.RunAsync(GateKind.Queue, name, new GateOperation.Withdraw(candidate));
            await gates.ChangeAsync(GateKind.Queue, name, s => s with { Inside = [] });
            if (line.Count == 0 && await gates.RemoveAsync(GateKind.Queue, name, cancellation: stop))
                return;
        }
    }
}
