using FuncStash.Storage;

namespace FuncStash.Messages;

// How messages come to be.
public sealed partial class MessageStore
{
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
                    created[creation.Index] = await CommitAsync([creation.Of(Waiting(creation.Stored))], cancellation);
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
        PlannedDelivery[] planned = [.. chunk.Where(c => c.New.Scheduled).Select(c => DeliveryOf(c.Stored))];
        var sends = await schedule.PlanAsync(planned, cancellation);
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
        var result = await store.Tables.CommitAsync(commit, cancellation);
        if (result.Applied)
            await SeeToLateAsync(planned);
        return result;
    }

    private async ValueTask<StoredMessage> PrepareAsync(Message message, CancellationToken cancellation)
    {
        await EnsureDayAsync(message.Id.PartitionDay, cancellation);
        await watch.EnsureAsync(message.Id, message.NotBefore, cancellation);
        message = await PlaceAsync(message with { BodySize = message.Body.Length }, cancellation);
        var stored = Waiting(new StoredMessage(message, new Progress { DueAt = message.NotBefore }, null));
        // Its row is in an older partition, where nobody looks for an event of today.
        return message.Id.LiesInOlderPartition ? stored with { Outbox = [CreatedEvent(message)] } : stored;
    }

    internal static LogEvent CreatedEvent(Message message) =>
        new(message.Id.Text, MessageState.Created, message.CreatedAt, 0);
}
