using System.Collections.Concurrent;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>Keeps messages: creates them once, changes them step by step, finds them by id.</summary>
public sealed partial class MessageStore(IStore store, IDeliverySchedule schedule, Watchlist watch)
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
        // A host's own work-queue message is not kept for the next attempt.
        var isStarted = leaseEnd is { Lease: HostLease, VisibleIn: not null };
        if (isStarted)
            after = Waiting(after);

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
        if (isStarted)
            started.Add(DeliveryOf(after));
        if (leaseEnd?.Lease is HostLease)
            leaseEnd = null;
        var etag = await FinishAsync(commits, started, leaseEnd, cancellation, step.Sends);
        return etag is null ? null : after with { ETag = etag };
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
                await store.Queues.SendAsync([new Send(WorkItem.Queue, held.Text, pause)], cancellation);
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
        await SeeToLateAsync(started);
        return etag;
    }

    // A commit may take minutes. A ticket that came before it was not yet the message's, and may be gone; the commit stands, whatever
    // becomes of this.
    private async ValueTask SeeToLateAsync(IReadOnlyList<PlannedDelivery> planned)
    {
        var late = planned.Where(delivery => !schedule.IsAhead(delivery)).Select(delivery => delivery.Ticket.Id.Text).ToList();
        if (late.Count == 0)
            return;
        try
        {
            await RecoverAsync(late, CancellationToken.None, retriesToo: true);
        }
        catch (Exception error) when (store.IsFault(error))
        {
            // The sweep finds them.
        }
    }

    // Each try to store it begins a wait of its own.
    private StoredMessage Waiting(StoredMessage stored) => schedule.NewWait(stored.Progress.DueAt) is var wait && wait == stored.Progress.Wait
        ? stored
        : stored with { Progress = stored.Progress with { Wait = wait } };

    private static PlannedDelivery DeliveryOf(StoredMessage stored) =>
        new(new DeliveryTicket(stored.Id, stored.Progress.Ticket), stored.Progress.DueAt, stored.Progress.Wait) { IsRetry = stored.Progress.Retried > 0 };

    // A later commit conflicts only when it was done before; its sends and lease end are still owed.
    private async ValueTask AfterConflictAsync(Commit commit, CancellationToken cancellation)
    {
        if (commit.Sends.Count > 0)
            await store.Queues.SendAsync(commit.Sends, cancellation);
        await EndLeaseAsync(commit.LeaseEnd, cancellation);
    }

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
