using FuncStash.Storage;

namespace FuncStash.Messages;

// How messages whose worker died, or that must go sooner, are sent on their way again.
public sealed partial class MessageStore
{
    /// <summary>
    /// Does again what belongs to the latest step of a message whose worker may have died in the middle of it: writes the
    /// events that lie elsewhere and the step's other commit, and sees to followers that may not have been sent on their way.
    /// </summary>
    /// <remarks>In a while (<see cref="WorkItem.Recover"/>): one that is being attempted now would be sent twice.</remarks>
    public async ValueTask RepairAsync(
        StoredMessage stored, Commit? also, LeaseEnd? leaseEnd, CancellationToken cancellation = default)
    {
        await WriteEventsAsync(stored, cancellation);
        var wereStarted = store.IsWhole && also is null && stored.Outbox.Count == 0;
        if (!wereStarted && stored.Progress.State != MessageState.Canceled)
            await RecoverAsync(stored.Followers, cancellation);
        // After the followers: that it is there tells the next one who repairs that the followers are seen to.
        if (also is not null)
            await store.Tables.CommitAsync(also, cancellation);
        await EndLeaseAsync(leaseEnd, cancellation);
    }

    /// <summary>Writes the events of a message's latest step that lie elsewhere: its worker may have died before it did.</summary>
    public async ValueTask WriteEventsAsync(StoredMessage stored, CancellationToken cancellation = default)
    {
        // That of most, and looked at before every attempt.
        if (stored.Outbox.Count == 0)
            return;
        foreach (var commit in await OutboxAsync(stored.Outbox, stored.Id, cancellation))
            await store.Tables.CommitAsync(commit, cancellation);
    }

    /// <summary>Sees to the callbacks of the latest attempt of a message that goes on: whoever stored them may not have sent them on their way.</summary>
    public ValueTask RecoverFollowersAsync(StoredMessage stored, CancellationToken cancellation = default) =>
        store.IsWhole || stored.Progress.State != MessageState.Retry ? default : RecoverAsync(stored.Followers, cancellation);

    private async ValueTask RecoverAsync(IReadOnlyList<string> ids, CancellationToken cancellation, bool retriesToo = false)
    {
        var sends = new List<Send>(ids.Count);
        foreach (var text in ids)
        {
            if (await LookAsync(MessageId.Parse(text), cancellation) is { } stored
                && (stored.Progress.State == MessageState.Created || (retriesToo && stored.Progress.State == MessageState.Retry)))
                sends.Add(new WorkItem.Recover(stored.Id, stored.ETag!).ToSend(WorkItem.Recover.After));
        }
        if (sends.Count > 0)
            await store.Queues.SendAsync(sends, cancellation);
    }

    /// <summary>Sends a live message on its way again under a new ticket. False when it has changed since it was read.</summary>
    public ValueTask<bool> RestartAsync(StoredMessage stored, CancellationToken cancellation = default) =>
        RestartAsync(stored, stored.Progress.DueAt, cancellation);

    /// <summary>The same, due at <paramref name="dueAt"/> (unix ms); whatever acts for it under the old ticket then stops.</summary>
    public async ValueTask<bool> RestartAsync(StoredMessage stored, long dueAt, CancellationToken cancellation = default)
    {
        if (stored.Ended)
            return false;
        var (renewed, commit) = Renewing(stored, dueAt);
        return await FinishAsync([commit], [DeliveryOf(renewed)], null, cancellation) is not null;
    }

    /// <summary>Gives a live message a new ticket, and sends nothing. Null when it has changed since it was read.</summary>
    public async ValueTask<StoredMessage?> RenewTicketAsync(StoredMessage stored, CancellationToken cancellation = default)
    {
        var (renewed, commit) = Renewing(stored, stored.Progress.DueAt);
        return await FinishAsync([commit], [], null, cancellation) is { } etag ? renewed with { ETag = etag } : null;
    }

    /// <summary>Makes a live message due now, together with writes to other rows of its partition, which come first.</summary>
    public async ValueTask<CommitResult> HurryAsync(
        StoredMessage stored, long dueAt, IReadOnlyList<Write> with, CancellationToken cancellation = default)
    {
        var (renewed, commit) = Renewing(stored, dueAt);
        var sends = await schedule.PlanAsync([DeliveryOf(renewed)], cancellation);
        await watch.EnsureAsync(stored.Id, dueAt, cancellation);
        return await store.Tables.CommitAsync(commit with { Writes = [.. with, .. commit.Writes], Sends = sends }, cancellation);
    }

    private (StoredMessage Renewed, Commit Commit) Renewing(StoredMessage stored, long dueAt)
    {
        var renewed = Waiting(stored with { Progress = stored.Progress with { Ticket = stored.Progress.Ticket + 1, DueAt = dueAt } });
        var row = MessageRows.ToRow(MessageRows.Live, renewed);
        return (renewed, new Commit(MessageRows.Table, row.PartitionKey, [new Write.Replace(row, stored.ETag!)]));
    }
}
