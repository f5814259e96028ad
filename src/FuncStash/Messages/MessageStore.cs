using System.Collections.Concurrent;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>Keeps messages: creates them once, changes them step by step, finds them by id.</summary>
public sealed class MessageStore(IStore store, IDeliverySchedule schedule, Watchlist watch)
{
    private readonly ConcurrentDictionary<int, bool> _knownDays = new();
    private readonly RecentMessages _recent = new();

    /// <summary>Reads a message, live or ended; null when it is not there.</summary>
    public async ValueTask<StoredMessage?> GetAsync(MessageId id, CancellationToken cancellation = default)
    {
        var row = await FindAsync(id, null, cancellation);
        return row is null ? null : MessageRows.FromRow(row, _recent.Find(id));
    }

    /// <summary>The same without its payload and what its latest step caused: to look at, not to be changed.</summary>
    public async ValueTask<StoredMessage?> LookAsync(MessageId id, CancellationToken cancellation = default) =>
        await FindAsync(id, MessageRows.WithoutPayload, cancellation) is { } row ? MessageRows.LookedFromRow(row) : null;

    /// <summary>The message's payload, wherever it lies.</summary>
    /// <exception cref="InvalidDataException">The message or its payload was purged.</exception>
    public async ValueTask<byte[]> BodyAsync(Message message, CancellationToken cancellation = default)
    {
        if (message is { BodyName: null, IsBodyLeftOut: false } or { BodySize: 0 })
            return message.Body;
        var body = message.BodyName is { } name
            ? await store.Bodies.GetAsync(name, cancellation)
            : await FindAsync(message.Id, ["Body"], cancellation) is { } row ? row.Bytes("Body") ?? [] : null;
        return body ?? throw new InvalidDataException($"{message.Id}: its payload {message.BodyName} is gone");
    }

    /// <summary>The event with the response it tells of; null when it was purged.</summary>
    public async ValueTask<LogEvent?> WithResponseAsync(LogEvent item, CancellationToken cancellation = default)
    {
        if (!item.IsResponseLeftOut)
            return item;
        var partition = MessageRows.Partition(MessageId.DayOf(item.Time), MessageId.Parse(item.Message).Shard);
        var row = await store.Tables.GetAsync(MessageRows.Table, partition, MessageRows.Event + item.Position, cancellation);
        return row is null ? null : MessageRows.EventFromRow(row);
    }

    private async ValueTask<Entity?> FindAsync(MessageId id, IReadOnlyList<string>? only, CancellationToken cancellation)
    {
        var partition = MessageRows.Partition(id);
        return await store.Tables.GetAsync(MessageRows.Table, partition, MessageRows.Key(MessageRows.Live, id), only, cancellation)
            ?? await store.Tables.GetAsync(MessageRows.Table, partition, MessageRows.Key(MessageRows.Ended, id), only, cancellation);
    }

    /// <summary>Stores new messages and schedules their deliveries, those of one partition together.</summary>
    /// <returns>For each, false when there was such a message already (only possible with <see cref="NewMessage.Once"/>).</returns>
    public async ValueTask<bool[]> CreateAsync(IReadOnlyList<NewMessage> news, CancellationToken cancellation = default)
    {
        var created = new bool[news.Count];
        var prepared = new List<Creation>(news.Count);
        for (var i = 0; i < news.Count; i++)
            prepared.Add(new Creation(i, news[i], await PrepareAsync(news[i].Message, cancellation)));
        foreach (var chunk in Creation.Chunks(prepared))
        {
            if (await CommitAsync(chunk, cancellation))
                chunk.ForEach(creation => created[creation.Index] = true);
            else if (chunk.Count > 1)
            {
                // One of them is there already: each on its own.
                foreach (var creation in chunk)
                    created[creation.Index] = await CommitAsync([creation], cancellation);
            }
        }
        foreach (var creation in prepared.Where(creation => !created[creation.Index]))
            await RemoveUnusedAsync(creation.Stored.Message, cancellation);
        return created;
    }

    /// <summary>
    /// Puts a payload that is too big for a row in a place of its own. Done before a step that is tried several times, so that
    /// each try names the same payload.
    /// </summary>
    public async ValueTask<Message> PlaceAsync(Message message, CancellationToken cancellation = default)
    {
        if (message.BodyName is not null || message.Body.Length <= MessageRows.InlineBodyBytes)
            return message;
        message = message with { BodyName = BodyName.New(message.Id.Text) };
        await store.Bodies.PutAsync(message.BodyName, message.Body, cancellation);
        return message;
    }

    /// <summary>Removes the payload of a message that was not stored, unless it was: a store may have lost the answer that said so.</summary>
    public async ValueTask RemoveUnusedAsync(Message message, CancellationToken cancellation = default)
    {
        if (message.BodyName is { } name && (await GetAsync(message.Id, cancellation))?.Message.BodyName != name)
            await store.Bodies.DeleteAsync(name, cancellation);
    }

    /// <summary>
    /// Sees to it that no message of this id, which follows from a cause, comes to be after this; one that is there stays.
    /// </summary>
    /// <returns>False when the message is there, or was, or its id is sealed already.</returns>
    public async ValueTask<bool> SealAsync(MessageId id, CancellationToken cancellation = default)
    {
        await EnsureDayAsync(id.PartitionDay, cancellation);
        var partition = MessageRows.Partition(id);
        var write = new Write.Insert(MessageRows.OnceMark(id));
        return (await store.Tables.CommitAsync(new Commit(MessageRows.Table, partition, [write]), cancellation)).Applied;
    }

    /// <summary>Stores messages of a workflow run, a few of them, in one commit with other rows of the run.</summary>
    /// <param name="run">The run's key, whose partition it is.</param>
    /// <param name="with">The other rows. They come first, so the index of a write that conflicts is theirs.</param>
    /// <param name="news">The messages.</param>
    /// <param name="sends">Work-queue messages to send besides.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<CommitResult> CreateAsync(
        MessageId run, IReadOnlyList<Write> with, IReadOnlyList<NewMessage> news, IReadOnlyList<Send> sends,
        CancellationToken cancellation = default)
    {
        await EnsureDayAsync(run.PartitionDay, cancellation);
        var chunk = new List<Creation>(news.Count);
        for (var i = 0; i < news.Count; i++)
            chunk.Add(new Creation(i, news[i], await PrepareAsync(news[i].Message, cancellation)));
        return await CommitAsync(MessageRows.Partition(run), chunk, with, sends, cancellation);
    }

    private async ValueTask<bool> CommitAsync(List<Creation> chunk, CancellationToken cancellation) =>
        (await CommitAsync(MessageRows.Partition(chunk[0].Stored.Id), chunk, [], [], cancellation)).Applied;

    private async ValueTask<CommitResult> CommitAsync(
        string partition, List<Creation> chunk, IReadOnlyList<Write> with, IReadOnlyList<Send> more, CancellationToken cancellation)
    {
        var sends = await schedule.PlanAsync(
            [.. chunk.Where(c => c.New.Scheduled).Select(c => DeliveryOf(c.Stored))], cancellation);
        var writes = new List<Write>(with.Count + chunk.Count);
        writes.AddRange(with);
        foreach (var creation in chunk)
            creation.AddWrites(writes);
        var commit = new Commit(MessageRows.Table, partition, writes) { Sends = [.. sends, .. more] };
        // Before the commit, since the attempt may come before its answer does. Ids that may be taken are not guessed at.
        var soon = chunk.Where(c => c is { New: { Once: false, Scheduled: true } } && !c.Stored.Message.IsDelayed);
        foreach (var creation in soon)
            _recent.Add(creation.Stored.Message);
        foreach (var creation in chunk)
            await watch.EnsureAsync(creation.Stored.Id, creation.Stored.Progress.DueAt, cancellation);
        return await store.Tables.CommitAsync(commit, cancellation);
    }

    /// <summary>The live messages of a workflow run.</summary>
    public async ValueTask<IReadOnlyList<MessageId>> OfRunAsync(MessageId run, CancellationToken cancellation = default)
    {
        const int PageSize = 1000;
        var found = new List<MessageId>();
        var range = RowRange.Prefix(MessageRows.RunMarkPrefix(run));
        while (true)
        {
            var rows = await store.Tables.QueryAsync(
                MessageRows.Table, MessageRows.Partition(run), range, PageSize, only: [], cancellation);
            found.AddRange(rows.Select(row => MessageRows.IdOf(row.RowKey)));
            if (rows.Count < PageSize)
                return found;
            range = range with { From = rows[^1].RowKey, Exclusive = true };
        }
    }

    /// <summary>Applies a step to a live message, with all that belongs to it, then ends the lease.</summary>
    /// <returns>The message as it now is; null when it has changed since it was read, and nothing was done.</returns>
    public async ValueTask<StoredMessage?> ApplyAsync(
        StoredMessage before, Transition step, LeaseEnd? leaseEnd = null, CancellationToken cancellation = default)
    {
        var id = before.Id;
        _recent.Remove(id);
        var partition = MessageRows.Partition(id);
        var (here, elsewhere) = Split(step.Events, before);
        var followers = new List<StoredMessage>(step.Followers.Count);
        foreach (var follower in step.Followers)
            followers.Add(await PrepareAsync(follower, cancellation));
        var after = before with
        {
            Progress = step.After,
            Outbox = elsewhere,
            // Whoever cancels a message whose worker died may find that its queue's place is still to be handed over.
            Followers = followers.Count > 0 ? [.. followers.Select(f => f.Id.Text)] : before.Followers,
        };

        var writes = new List<Write>(step.Events.Count + followers.Count + step.With.Count + 3);
        if (after.Ended)
        {
            writes.Add(new Write.Delete(MessageRows.Key(MessageRows.Live, id), before.ETag));
            writes.Add(new Write.Insert(MessageRows.ToRow(MessageRows.Ended, after)));
            if (before.Message.Run is not null)
                writes.Add(new Write.Delete(MessageRows.RunMarkKey(before.Message), null));
        }
        else
        {
            writes.Add(new Write.Replace(MessageRows.ToRow(MessageRows.Live, after), before.ETag!));
        }
        foreach (var item in here)
            writes.Add(new Write.Upsert(MessageRows.ToRow(item, partition)));
        foreach (var follower in followers)
        {
            writes.Add(new Write.Insert(MessageRows.ToRow(MessageRows.Live, follower)));
            if (follower.Message.Run is not null)
                writes.Add(new Write.Insert(MessageRows.RunMark(follower.Message)));
        }
        writes.AddRange(step.With);

        var commits = new List<Commit>(1) { new(MessageRows.Table, partition, writes) };
        commits.AddRange(await OutboxAsync(elsewhere, id, cancellation));
        if (step.Also is { } also)
            commits.Add(also);
        var started = followers.ConvertAll(DeliveryOf);
        // A host's own work-queue message is not kept for the next attempt.
        if (leaseEnd is { Lease: HostLease, VisibleIn: not null })
            started.Add(DeliveryOf(after));
        if (leaseEnd?.Lease is HostLease)
            leaseEnd = null;
        var etag = await FinishAsync(commits, started, leaseEnd, cancellation, step.Sends);
        return etag is null ? null : after with { ETag = etag };
    }

    /// <summary>
    /// Does again what belongs to the latest step of a message whose worker may have died in the middle of it: writes the
    /// events that lie elsewhere and the step's other commit, and sees to followers that may not have been sent on their way.
    /// </summary>
    /// <remarks>In a while (<see cref="WorkItem.Recover"/>): one that is being attempted now would be sent twice.</remarks>
    public async ValueTask RepairAsync(
        StoredMessage stored, Commit? also, LeaseEnd? leaseEnd, CancellationToken cancellation = default)
    {
        await WriteEventsAsync(stored, cancellation);
        if (also is not null)
            await store.Tables.CommitAsync(also, cancellation);
        var wereStarted = store.IsWhole && also is null && stored.Outbox.Count == 0;
        if (!wereStarted && stored.Progress.State != MessageState.Canceled)
            await RecoverAsync(stored.Followers, cancellation);
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

    private async ValueTask RecoverAsync(IReadOnlyList<string> ids, CancellationToken cancellation)
    {
        var sends = new List<Send>(ids.Count);
        foreach (var text in ids)
        {
            if (await LookAsync(MessageId.Parse(text), cancellation) is { Progress.State: MessageState.Created } stored)
                sends.Add(new WorkItem.Recover(stored.Id, stored.ETag!).ToSend(WorkItem.Recover.After));
        }
        if (sends.Count > 0)
            await store.Queues.SendAsync(sends, cancellation);
    }

    /// <summary>Sends a message on its way again under a new ticket, unless it has changed since it was looked at.</summary>
    public async ValueTask RecoverAsync(WorkItem.Recover lost, CancellationToken cancellation = default)
    {
        if (await GetAsync(lost.Id, cancellation) is { Progress.State: MessageState.Created } stored && stored.ETag == lost.Version)
            await RestartAsync(stored, cancellation);
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

    private static (StoredMessage Renewed, Commit Commit) Renewing(StoredMessage stored, long dueAt)
    {
        var renewed = stored with { Progress = stored.Progress with { Ticket = stored.Progress.Ticket + 1, DueAt = dueAt } };
        var row = MessageRows.ToRow(MessageRows.Live, renewed);
        return (renewed, new Commit(MessageRows.Table, row.PartitionKey, [new Write.Replace(row, stored.ETag!)]));
    }

    /// <summary>How the last attempt of a message that failed went, as its log has it.</summary>
    public async ValueTask<(AttemptOutcome Outcome, string Error)> LastOutcomeAsync(
        StoredMessage stored, CancellationToken cancellation = default)
    {
        // FAILED is the last event, ERROR the one before it.
        var (id, endedAt) = (stored.Id, stored.Progress.EndedAt!.Value);
        var key = MessageRows.Event + LogPosition.Of(endedAt, stored.Progress.Events - 2, id.Text);
        var partition = MessageRows.Partition(MessageId.DayOf(endedAt), id.Shard);
        var row = await store.Tables.GetAsync(MessageRows.Table, partition, key, cancellation);
        var item = row is null ? stored.Outbox.FirstOrDefault(e => e.State == MessageState.Error) : MessageRows.EventFromRow(row);
        var error = item?.Error ?? "unknown";
        return item?.Response is { } response ? (response, error) : (new AttemptOutcome.NoResponse(error), error);
    }

    public async ValueTask EndLeaseAsync(LeaseEnd? end, CancellationToken cancellation = default)
    {
        if (end is null)
            return;
        if (end.Lease is HostLease held)
        {
            if (end.VisibleIn is { } pause)
                await store.Queues.SendAsync([new Send(held.Queue, held.Text, pause)], cancellation);
        }
        else if (end.VisibleIn is { } delay)
            await store.Queues.RenewAsync(end.Lease, delay, cancellation);
        else
            await store.Queues.DeleteAsync(end.Lease, cancellation);
    }

    // The commits in order, the sends and the end of the lease with the last of them. Null when the first conflicts.
    private async ValueTask<string?> FinishAsync(
        List<Commit> commits, List<PlannedDelivery> started, LeaseEnd? leaseEnd, CancellationToken cancellation,
        IReadOnlyList<Send>? more = null)
    {
        var sends = started.Count == 0 ? [] : await schedule.PlanAsync(started, cancellation);
        commits[^1] = commits[^1] with { Sends = [.. sends, .. more ?? []], LeaseEnd = leaseEnd };
        string? etag = null;
        for (var i = 0; i < commits.Count; i++)
        {
            var result = await store.Tables.CommitAsync(commits[i], cancellation);
            if (result.Applied)
                etag ??= result.ETags[0];
            else if (i == 0)
                return null;
            else if (i == commits.Count - 1)
                await AfterConflictAsync(commits[i], cancellation);
        }
        return etag;
    }

    private static PlannedDelivery DeliveryOf(StoredMessage stored) =>
        new(new DeliveryTicket(stored.Id, stored.Progress.Ticket), stored.Progress.DueAt);

    // A later commit conflicts only when it was done before; its sends and lease end are still owed.
    private async ValueTask AfterConflictAsync(Commit commit, CancellationToken cancellation)
    {
        if (commit.Sends.Count > 0)
            await store.Queues.SendAsync(commit.Sends, cancellation);
        await EndLeaseAsync(commit.LeaseEnd, cancellation);
    }

    private async ValueTask<StoredMessage> PrepareAsync(Message message, CancellationToken cancellation)
    {
        await EnsureDayAsync(message.Id.PartitionDay, cancellation);
        await watch.EnsureAsync(message.Id, message.NotBefore, cancellation);
        message = await PlaceAsync(message with { BodySize = message.Body.Length }, cancellation);
        var stored = new StoredMessage(message, new Progress { DueAt = message.NotBefore }, null);
        // Its row is in an older partition, where nobody looks for an event of today.
        return message.Id.LiesInOlderPartition ? stored with { Outbox = [CreatedEvent(message)] } : stored;
    }

    internal static LogEvent CreatedEvent(Message message) =>
        new(message.Id.Text, MessageState.Created, message.CreatedAt, 0);

    private static (List<LogEvent> Here, List<LogEvent> Elsewhere) Split(IReadOnlyList<LogEvent> events, StoredMessage stored)
    {
        var (here, elsewhere) = (new List<LogEvent>(events.Count), new List<LogEvent>());
        foreach (var item in events)
        {
            if (MessageId.DayOf(item.Time) == stored.Id.PartitionDay)
                here.Add(item);
            else
                elsewhere.Add(MessageRows.Waiting(item, stored));
        }
        return (here, elsewhere);
    }

    private async ValueTask<List<Commit>> OutboxAsync(
        IReadOnlyList<LogEvent> events, MessageId id, CancellationToken cancellation)
    {
        var commits = new List<Commit>();
        foreach (var day in events.GroupBy(e => MessageId.DayOf(e.Time)))
        {
            await EnsureDayAsync(day.Key, cancellation);
            var partition = MessageRows.Partition(day.Key, id.Shard);
            commits.Add(new Commit(MessageRows.Table, partition,
                [.. day.Select(e => new Write.Upsert(MessageRows.ToRow(e, partition)))]));
        }
        return commits;
    }

    /// <summary>Writes down that a day has a partition, once a process.</summary>
    private async ValueTask EnsureDayAsync(int day, CancellationToken cancellation)
    {
        if (_knownDays.ContainsKey(day))
            return;
        await Days.AddAsync(store.Tables, day, cancellation);
        _knownDays[day] = true;
    }
}
