using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.DeadLetters;

/// <summary>Keeps dead letters, oldest first, in a few partitions.</summary>
public sealed class DeadLetterStore(IStore store)
{
    internal const string Table = "deadletters";

    /// <summary>The commit that adds a dead letter; it conflicts when that is already there, which is then well.</summary>
    public async ValueTask<Commit> AddingAsync(DeadLetter letter, byte[] body, CancellationToken cancellation)
    {
        var message = letter.Message;
        if (message.BodyName is not null)
        {
            // A payload of its own: the message's row and the dead letter are purged at different times.
            message = message with { BodyName = "dlq-" + letter.Id };
            await store.Bodies.PutAsync(message.BodyName, body, cancellation);
        }
        return new Commit(Table, letter.Id.Partition, [new Write.Insert(ToRow(letter with { Message = message }))]);
    }

    /// <summary>Writes down which message a retry is about to make; false when the letter has changed since it was read.</summary>
    public async ValueTask<bool> BeginRetryAsync(DeadLetter letter, MessageId retry, CancellationToken cancellation = default)
    {
        var row = ToRow(letter with { RetryId = retry });
        var commit = new Commit(Table, row.PartitionKey, [new Write.Replace(row, letter.ETag!)]);
        return (await store.Tables.CommitAsync(commit, cancellation)).Applied;
    }

    private static Entity ToRow(DeadLetter letter)
    {
        var message = letter.Message;
        var values = new Dictionary<string, object>
        {
            ["MessageId"] = message.Id.Text,
            ["Spec"] = MessageJson.Write(message),
            ["ResponseStatus"] = (long)letter.ResponseStatus,
            ["ResponseHeader"] = MessageJson.Write(letter.ResponseHeader),
            ["ResponseBody"] = letter.ResponseBody,
        };
        if (message.BodyName is null)
            values["Body"] = message.Body;
        if (letter.Error is { } error)
            values["Error"] = error;
        if (letter.RetryId is { } retry)
            values["RetryId"] = retry.Text;
        return new Entity(letter.Id.Partition, letter.Id.Key, values);
    }

    public async ValueTask<DeadLetter?> GetAsync(DlqId id, CancellationToken cancellation = default) =>
        await store.Tables.GetAsync(Table, id.Partition, id.Key, cancellation) is { } row ? FromRow(row) : null;

    /// <summary>The payload, wherever it lies.</summary>
    public async ValueTask<byte[]> BodyAsync(DeadLetter letter, CancellationToken cancellation = default) =>
        letter.Message.BodyName is { } name
            ? await store.Bodies.GetAsync(name, cancellation) ?? throw new InvalidDataException($"payload {name} is gone")
            : letter.Message.Body;

    /// <summary>Removes a dead letter; false when it was gone.</summary>
    public async ValueTask<bool> RemoveAsync(DlqId id, CancellationToken cancellation = default)
    {
        if (await GetAsync(id, cancellation) is not { } letter)
            return false;
        var removed = await store.Tables.CommitAsync(
            new Commit(Table, id.Partition, [new Write.Delete(id.Key, null)]), cancellation);
        if (removed.Applied && letter.Message.BodyName is { } name)
            await store.Bodies.DeleteAsync(name, cancellation);
        return removed.Applied;
    }

    /// <summary>The keys of one shard's dead letters, oldest first.</summary>
    internal async ValueTask<IReadOnlyList<string>> KeysAsync(int shard, RowRange range, CancellationToken cancellation)
    {
        const int PageSize = 1000;
        var keys = new List<string>();
        while (true)
        {
            var rows = await store.Tables.QueryAsync(
                Table, DlqId.ShardPartition(shard), range, PageSize, keysOnly: true, cancellation);
            keys.AddRange(rows.Select(row => row.RowKey));
            if (rows.Count < PageSize)
                return keys;
            range = range with { From = keys[^1], Exclusive = true };
        }
    }

    /// <summary>One shard's dead letters after a key, oldest first.</summary>
    internal async ValueTask<IReadOnlyList<DeadLetter>> PageAsync(
        int shard, RowRange range, int take, CancellationToken cancellation)
    {
        var rows = await store.Tables.QueryAsync(Table, DlqId.ShardPartition(shard), range, take, cancellation: cancellation);
        return [.. rows.Select(FromRow)];
    }

    private static DeadLetter FromRow(Entity row)
    {
        var message = MessageJson.ReadMessage(row.Bytes("Spec")!) with
        {
            Id = MessageId.Parse(row.Text("MessageId")!),
            Body = row.Bytes("Body") ?? [],
        };
        return new DeadLetter(DlqId.Parse(row.RowKey), message, (int)row.Number("ResponseStatus")!.Value)
        {
            ResponseHeader = MessageJson.ReadHeaders(row.Bytes("ResponseHeader")!),
            ResponseBody = row.Bytes("ResponseBody") ?? [],
            Error = row.Text("Error"),
            RetryId = row.Text("RetryId") is { } retry ? MessageId.Parse(retry) : null,
            ETag = row.ETag,
        };
    }
}
