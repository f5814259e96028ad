using FuncStash.Messages;

namespace FuncStash.Admission;

/// <summary>What became of a message that asked for its places.</summary>
public enum Entry
{
    Admitted,

    /// <summary>It waits in line; its admission sends it on its way.</summary>
    Waiting,

    /// <summary>
    /// Its queue is gone: it was deleted while the message was delayed, and takes the message along, whether or not there is
    /// one of that name again.
    /// </summary>
    QueueDeleted,
}

/// <summary>
/// Decides when a message may be attempted: its queue lets it in for its whole life, callbacks included, its flow-control
/// key for each attempt.
/// </summary>
/// <remarks>
/// Every call may be repeated after a crash: asking again for a place one has is a yes, giving back one that is gone is
/// nothing. So the work-queue lease of a step ends only after the step's places are given back.
/// </remarks>
public sealed class AdmissionService(Gates gates, MessageStore messages)
{
    /// <summary>True for messages that some gate has a say in.</summary>
    public static bool Governs(Message message) =>
        message.QueueName is not null || message.FlowControl is not null || message.QueueSlot is not null;

    /// <summary>Whether a new message waits for admission instead of being scheduled right away.</summary>
    public static bool JoinsAtOnce(Message message, long now) =>
        (message.QueueName is not null || message.FlowControl is not null) && (!message.IsDelayed || message.NotBefore <= now);

    /// <summary>Whether a message that is stored was to wait for admission from then on.</summary>
    /// <remarks>So was one that its queue does not expect: by its publisher's clock, which may be ahead, it was due.</remarks>
    public static bool WasToJoin(Message message, long now) =>
        message is { QueueName: not null, QueueCreatedAt: null } || JoinsAtOnce(message, now);

    /// <summary>
    /// Tells the queue of a delayed message, which it creates, that it will come, before it is stored: it then goes where its queue goes.
    /// </summary>
    /// <returns>The message with the time that its queue was created.</returns>
    public async Task<Message> ExpectAsync(Message message)
    {
        var expect = new GateOperation.Expect(Candidate.OrderOf(message.Id, message.NotBefore));
        await gates.RunAsync(GateKind.Queue, message.QueueName!, expect);
        return message with { QueueCreatedAt = expect.CreatedAt };
    }

    /// <summary>Tells the queue that a message it expects was not stored: there was one of its id that is due at another time.</summary>
    public Task UnexpectAsync(Message message) => gates.RunAsync(
        GateKind.Queue, message.QueueName!, new GateOperation.Unexpect(Candidate.OrderOf(message.Id, message.NotBefore)));

    /// <summary>Puts a message that was just stored in line, and its flow-control limits into force.</summary>
    /// <param name="message">The message.</param>
    /// <param name="join">False when it is delayed and gets in line when due.</param>
    public async Task AcceptAsync(Message message, bool join) =>
        await AcceptAsync(message, join, new Progress { DueAt = message.NotBefore }, isNew: true);

    /// <summary>Puts messages in line, in the order given, whose publisher may have died before it did, or may still be about to.</summary>
    /// <remarks>
    /// Under a new ticket, at the version of its row: a message may be on its way by now, and is not to be attempted by two
    /// workers at once.
    /// </remarks>
    public async Task AcceptAgainAsync(params IReadOnlyList<StoredMessage> there)
    {
        var renewed = await Task.WhenAll(there.Select(RenewAsync));
        // All get in line before any is waited for.
        await Task.WhenAll(renewed.OfType<StoredMessage>().Select(AcceptRenewedAsync).ToList());
    }

    // Null where it is in line, or somebody acts for it.
    private async Task<StoredMessage?> RenewAsync(StoredMessage there)
    {
        for (var stored = there; stored is { Progress.State: MessageState.Created }; stored = await messages.GetAsync(there.Id))
        {
            if (await IsInLineAsync(stored))
                return null;
            if (await messages.RenewTicketAsync(stored) is { } renewed)
                return renewed;
        }
        return null;
    }

    private async Task AcceptRenewedAsync(StoredMessage renewed)
    {
        if (await AcceptAsync(renewed.Message, join: true, renewed.Progress, isNew: false))
            await messages.RestartAsync(renewed);
    }

    // True when it was inside already, or its queue is gone, and so it was not sent on its way now.
    private async Task<bool> AcceptAsync(Message message, bool join, Progress progress, bool isNew)
    {
        var wasInside = false;
        if (join && message.QueueName is { } queue)
            wasInside = await JoinAsync(GateKind.Queue, queue, limits: null);
        if (message.FlowControl is not { } flow)
            return wasInside;
        var limits = LimitsOf(flow);
        if (join && message.QueueName is null)
            return await JoinAsync(GateKind.FlowKey, flow.Key, limits);
        await gates.RunAsync(GateKind.FlowKey, flow.Key, new GateOperation.Change(limits, creates: true));
        return wasInside;

        async Task<bool> JoinAsync(GateKind kind, string name, Func<GateState, GateState>? limits)
        {
            // Of a delayed one whose queue was not noted, nobody knows which it was.
            var createdAt = CreatedAt(message, kind);
            var join = new GateOperation.Join(
                Candidate.Of(message, progress, kind), announce: true, isNew, limits, creates: createdAt is null, createdAt) { Last = true };
            await gates.RunAsync(kind, name, join);
            return join.WasInside || join.FoundNone;
        }
    }

    /// <summary>Asks for all places an attempt needs.</summary>
    public async Task<Entry> EnterAsync(StoredMessage stored)
    {
        var (message, progress) = (stored.Message, stored.Progress);
        if (message.QueueName is { } queue && await JoinAsync(GateKind.Queue, queue, creates: message.QueueCreatedAt is null) is var entry and not Entry.Admitted)
            return entry;
        if (message.FlowControl is not { } flow)
            return Entry.Admitted;
        // A key that was forgotten while the message was delayed, or whose publisher died, has its limits from the message.
        var limits = LimitsOf(flow);
        return await JoinAsync(GateKind.FlowKey, flow.Key, creates: true, state => state.HasLimits ? state : limits(state));

        async Task<Entry> JoinAsync(GateKind kind, string name, bool creates, Func<GateState, GateState>? limits = null)
        {
            var join = new GateOperation.Join(
                Candidate.Of(message, progress, kind), announce: false, isNew: false, limits, creates, CreatedAt(message, kind));
            return await gates.RunAsync(kind, name, join) ? Entry.Admitted : join.FoundNone ? Entry.QueueDeleted : Entry.Waiting;
        }
    }

    /// <summary>Gives back what an attempt no longer needs, and hands the queue's place over to its callbacks.</summary>
    /// <param name="after">The message as it now is.</param>
    public async Task LeaveAsync(StoredMessage after)
    {
        var (message, progress) = (after.Message, after.Progress);
        if (message.FlowControl is { } flow)
        {
            // A retry has been counted already; the place is that of the attempt before it.
            var attempt = after.Ended ? progress.Retried : Math.Max(0, progress.Retried - 1);
            await gates.PassAsync(GateKind.FlowKey, flow.Key, message.Id.Text, attempt, message.Id.Text, []);
        }
        var (queue, place) = message.QueueSlot is { } slot ? (slot.Queue, slot.Message) : (message.QueueName, message.Id.Text);
        if (queue is null)
            return;
        await HandOverAsync(queue, place, after.Ended ? message.Id.Text : null, after.Followers);
    }

    /// <summary>Hands a place in a queue over to the callbacks of one that held it, those that have not ended.</summary>
    /// <param name="queue">Its name.</param>
    /// <param name="place">The id of the message that was let in.</param>
    /// <param name="leaver">The holder that leaves; null where it stays.</param>
    /// <param name="followers">The ids of its callbacks.</param>
    public async Task HandOverAsync(string queue, string place, string? leaver, IReadOnlyList<string> followers)
    {
        var heirs = await LiveAsync(followers);
        if (leaver is not null || heirs.Count > 0)
            await gates.PassAsync(GateKind.Queue, queue, place, 0, leaver, heirs);
        // One that ended before it became a holder will not leave again.
        foreach (var ended in heirs.Except(await LiveAsync(heirs)))
            await gates.PassAsync(GateKind.Queue, queue, place, 0, ended, []);
    }

    /// <summary>Takes a cancelled message out of the lines it stands in; its place in a queue is free at once, or its callbacks'.</summary>
    /// <remarks>
    /// A place at a flow-control key is not: the request may be on its way, and counts until its response has come. The
    /// message's own work-queue message gives the place back when it finds the message ended.
    /// </remarks>
    public async Task CancelledAsync(StoredMessage before)
    {
        if (before.Message.QueueName is { } queue)
        {
            await gates.RunAsync(GateKind.Queue, queue, Withdrawal(GateKind.Queue));
            await HandOverAsync(queue, before.Id.Text, before.Id.Text, before.Followers);
        }
        if (before.Message.QueueSlot is { } slot)
            await gates.PassAsync(GateKind.Queue, slot.Queue, slot.Message, 0, before.Id.Text, []);
        if (before.Message.FlowControl is { } flow)
            await gates.RunAsync(GateKind.FlowKey, flow.Key, Withdrawal(GateKind.FlowKey));

        GateOperation.Withdraw Withdrawal(GateKind kind) => new(Candidate.Of(before.Message, before.Progress, kind));
    }

    /// <summary>True when a gate will see to the message.</summary>
    public async ValueTask<bool> IsInLineAsync(StoredMessage stored, CancellationToken cancellation = default)
    {
        var (message, progress) = (stored.Message, stored.Progress);
        return (message.QueueName is { } queue
                && await gates.KnowsAsync(GateKind.Queue, queue, Candidate.Of(message, progress, GateKind.Queue), cancellation))
            || await IsAtItsKeyAsync(stored, cancellation);
    }

    /// <summary>True when a gate has sent a message that is due on its way, or will.</summary>
    public ValueTask<bool> IsSentByGateAsync(StoredMessage stored, CancellationToken cancellation = default) =>
        // A queue lets a message in once, for all its attempts.
        stored.Progress.Retried == 0 ? IsInLineAsync(stored, cancellation) : IsAtItsKeyAsync(stored, cancellation);

    /// <summary>True when a message waits at its flow-control key, or has a place there, for its next attempt.</summary>
    public async ValueTask<bool> IsAtItsKeyAsync(StoredMessage stored, CancellationToken cancellation = default) =>
        stored.Message.FlowControl is { } flow && await gates.KnowsAsync(
            GateKind.FlowKey, flow.Key, Candidate.Of(stored.Message, stored.Progress, GateKind.FlowKey), cancellation);

    /// <summary>True for a message that was delayed when its queue was deleted, and so will be cancelled when it is due.</summary>
    public async ValueTask<bool> HasLostItsQueueAsync(StoredMessage stored, CancellationToken cancellation = default) =>
        stored is { Progress.State: MessageState.Created, Message: { QueueName: { } queue, QueueCreatedAt: { } createdAt } }
        && (await gates.GetAsync(GateKind.Queue, queue, cancellation))?.IsOf(createdAt) != true;

    // A step that is done again may find its callbacks ended, and nobody would free a place for those.
    private async ValueTask<IReadOnlyList<string>> LiveAsync(IReadOnlyList<string> followers)
    {
        var live = new List<string>(followers.Count);
        foreach (var text in followers)
        {
            if (await messages.LookAsync(MessageId.Parse(text)) is { Ended: false })
                live.Add(text);
        }
        return live;
    }

    private static long? CreatedAt(Message message, GateKind kind) => kind == GateKind.Queue ? message.QueueCreatedAt : null;

    private Func<GateState, GateState> LimitsOf(FlowControlSettings flow) =>
        state => GateRules.Configure(state, flow.Rate, flow.Parallelism, flow.Period, gates.Now);
}
