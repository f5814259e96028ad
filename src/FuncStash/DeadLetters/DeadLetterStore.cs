using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.DeadLetters;

/// <summary>A dead letter about to be added.</summary>
/// <param name="Letter">The letter, with the place of its payload.</param>
/// <param name="Commit">What adds it; it conflicts when the letter is already there, which is then well.</param>
/// <param name="Payload">The name of the payload that was written for it; null when none was.</param>
public sealed record DeadLetterAddition(DeadLetter Letter, Commit Commit, string? Payload);

/// <summary>Keeps dead letters, oldest first, in a few partitions.</summary>
public sealed class DeadLetterStore(IStore store)
{
    internal const string Table = "deadletters";

    /// <summary>What the names of payloads begin with, before the letter's id.</summary>
    internal const string BodyPrefix = "dlq-";

    // What all else in a row takes at most, in bytes: the error's text, ids, numbers.
    private const int Around = 4 * 1024;

    private static readonly string[] s_listed = ["MessageId", "Spec", "ResponseStatus", "Error", "RetryId", "ResponseSize"];

    /// <summary>Gets a dead letter ready to be added with the step that its message fails by.</summary>
    /// <param name="letter">The dead letter.</param>
    /// <param name="body">
    /// Its payload; null for one that cannot be read: the letter then goes on naming the message's.
    /// </param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<DeadLetterAddition> AddingAsync(DeadLetter letter, byte[]? body, CancellationToken cancellation)
    {
        string? payload = null;
        if (letter.Message.BodyName is not null && body is not null)
        {
            // A payload of its own: the message's row and the dead letter are purged at different times.
            payload = BodyName.New(BodyPrefix + letter.Id);
            await store.Bodies.PutAsync(payload, body, cancellation);
            letter = letter with { Message = letter.Message with { BodyName = payload } };
        }
        return new DeadLetterAddition(letter, new Commit(Table, letter.Id.Partition, [new Write.Insert(ToRow(letter))]), payload);
    }

    /// <summary>Removes the payload of an addition that did not come to be, because the letter is there already or never will be.</summary>
    public async ValueTask RemoveUnusedAsync(DeadLetterAddition addition, CancellationToken cancellation = default)
    {
        if (addition.Payload is { } name && (await GetAsync(addition.Letter.Id, cancellation))?.Message.BodyName != name)
            await store.Bodies.DeleteAsync(name, cancellation);
    }

    /// <summary>Writes down which message a retry is about to make; false when the letter has changed since it was read.</summary>
    public ValueTask<bool> BeginRetryAsync(DeadLetter letter, MessageId retry, CancellationToken cancellation = default) =>
        NoteRetryAsync(letter, retry, cancellation);

    /// <summary>Writes down that the retry made no message: another one has its deduplication id.</summary>
    public async ValueTask EndRetryAsync(DlqId id, CancellationToken cancellation = default)
    {
        while (await GetAsync(id, cancellation) is { RetryId: not null } letter && !await NoteRetryAsync(letter, null, cancellation))
        {
        }
    }

    private async ValueTask<bool> NoteRetryAsync(DeadLetter letter, MessageId? retry, CancellationToken cancellation)
    {
        var row = ToRow(letter with { RetryId = retry });
        var commit = new Commit(Table, row.PartitionKey, [new Write.Replace(row, letter.ETag!)]);
        return (await store.Tables.CommitAsync(commit, cancellation)).Applied;
    }

    private static Entity ToRow(DeadLetter letter)
    {
        var message = letter.Message;
        if (letter.IsLeftOut)
            throw new InvalidOperationException($"{letter.Id} was read without its payload and cannot be written");
        var spec = MessageJson.Write(message);
        // Messages of before there was a limit may leave no room for all of a response.
        var room = Math.Max(0, Entity.MaxBytes - Around - spec.Length - (message.BodyName is null ? message.Body.Length : 0));
        if (room < AttemptOutcome.Response.MaxHeaderBytes + AttemptOutcome.Response.MaxBodyBytes)
            letter = letter.With(letter.Response.Kept(room / 2, Math.Min(room / 2, AttemptOutcome.Response.MaxHeaderBytes)));
        var header = MessageJson.Write(letter.ResponseHeader);
        var values = new Dictionary<string, object>
        {
            ["MessageId"] = message.Id.Text,
            ["Spec"] = spec,
            ["ResponseStatus"] = (long)letter.ResponseStatus,
            ["ResponseHeader"] = header,
            ["ResponseBody"] = letter.ResponseBody,
            ["ResponseSize"] = (long)header.Length + letter.ResponseBody.Length,
        };
        if (letter.IsResponseHeaderCut)
            values["ResponseHeaderCut"] = true;
        if (letter.IsResponseBodyCut)
            values["ResponseBodyCut"] = true;
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

    /// <summary>A dead letter without its payload and its response, for lists; null when it is not there.</summary>
    public async ValueTask<DeadLetter?> LookAsync(DlqId id, CancellationToken cancellation = default) =>
        await store.Tables.GetAsync(Table, id.Partition, id.Key, s_listed, cancellation) is { } row ? ListedFromRow(row) : null;

    /// <summary>The payload, wherever it lies.</summary>
    public async ValueTask<byte[]> BodyAsync(DeadLetter letter, CancellationToken cancellation = default) =>
        letter.Message.BodyName is { } name
            ? await store.Bodies.GetAsync(name, cancellation) ?? throw new InvalidDataException($"payload {name} is gone")
            : letter.Message.Body;

    /// <summary>Removes a dead letter; false when it was gone.</summary>
    public async ValueTask<bool> RemoveAsync(DlqId id, CancellationToken cancellation = default) =>
        await LookAsync(id, cancellation) is { } letter && await RemoveAsync(letter, null, cancellation);

    /// <summary>Removes a dead letter that is as it was read; false when it has changed, or was gone.</summary>
    public ValueTask<bool> RemoveAsync(DeadLetter letter, CancellationToken cancellation = default) =>
        RemoveAsync(letter, letter.ETag, cancellation);

    private async ValueTask<bool> RemoveAsync(DeadLetter letter, string? version, CancellationToken cancellation)
    {
        var removed = await store.Tables.CommitAsync(
            new Commit(Table, letter.Id.Partition, [new Write.Delete(letter.Id.Key, version)]), cancellation);
        if (removed.Applied && letter.Message.BodyName is { } name)
            await store.Bodies.DeleteAsync(name, cancellation);
        return removed.Applied;
    }

    /// <summary>The keys of one shard's dead letters, oldest first, of a range that has so many or more.</summary>
    internal async ValueTask<IReadOnlyList<string>> KeysAsync(string shard, RowRange range, int take, CancellationToken cancellation)
    {
        var rows = await store.Tables.QueryAsync(Table, shard, range, take, only: [], cancellation);
        return [.. rows.Select(row => row.RowKey)];
    }

    /// <summary>How many messages failed since a time (unix ms), counted up to <paramref name="max"/>; those of runs are not counted, as they are not listed.</summary>
    public async ValueTask<int> CountAsync(long since, int max, CancellationToken cancellation = default)
    {
        var range = new RowRange(new DlqId(Math.Clamp(since, 0, DlqId.MaxTime), 0).Key, null);
        var shards = await Task.WhenAll(Enumerable.Range(0, DlqId.Shards)
            .Select(shard => KeysAsync(DlqId.ShardPartition(shard, ofRuns: false), range, max, cancellation).AsTask()));
        return Math.Min(max, shards.Sum(keys => keys.Count));
    }

    /// <summary>The payloads that all letters since a time (unix ms) name, those of runs too.</summary>
    /// <exception cref="Exception">One of them cannot be read (<see cref="MessageRows.IsUnreadable"/>).</exception>
    internal async ValueTask<IReadOnlySet<string>> BodyNamesAsync(long since, CancellationToken cancellation)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var range = new RowRange(new DlqId(Math.Clamp(since, 0, DlqId.MaxTime), 0).Key, null);
        for (var shard = 0; shard < DlqId.Shards * 2; shard++)
        {
            var partition = DlqId.ShardPartition(shard % DlqId.Shards, ofRuns: shard >= DlqId.Shards);
            await foreach (var row in new RowPages(store.Tables, Table, partition, range, ["Spec"], PageSize.MostOfFew).AllAsync(cancellation))
            {
                if (MessageRows.BodyNameOf(row) is { } name)
                    names.Add(name);
            }
        }
        return names;
    }

    /// <summary>The payload that a letter names; null where it is gone, or has it in its row.</summary>
    /// <exception cref="Exception">It cannot be read (<see cref="MessageRows.IsUnreadable"/>).</exception>
    internal async ValueTask<string?> BodyNameAsync(DlqId id, CancellationToken cancellation) =>
        await store.Tables.GetAsync(Table, id.Partition, id.Key, ["Spec"], cancellation) is { } row ? MessageRows.BodyNameOf(row) : null;

    /// <summary>One shard's dead letters, oldest first, without their payloads and responses.</summary>
    internal async IAsyncEnumerable<DeadLetter> ListAsync(
        string shard, RowRange range, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var rows = new RowPages(store.Tables, Table, shard, range, s_listed);
        await foreach (var row in rows.AllAsync(cancellation))
            yield return ListedFromRow(row);
    }

    private static DeadLetter ListedFromRow(Entity row) => FromRow(row) with { IsLeftOut = true };

    private static DeadLetter FromRow(Entity row)
    {
        var message = MessageJson.ReadMessage(row.Bytes("Spec")!) with
        {
            Id = MessageId.Parse(row.Text("MessageId")!),
            Body = row.Bytes("Body") ?? [],
        };
        return new DeadLetter(DlqId.Parse(row.RowKey), message, (int)row.Number("ResponseStatus")!.Value)
        {
            ResponseHeader = row.Bytes("ResponseHeader") is { } header ? MessageJson.ReadHeaders(header) : HeaderMap.Empty,
            ResponseBody = row.Bytes("ResponseBody") ?? [],
            ResponseSize = (int?)row.Number("ResponseSize"),
            IsResponseHeaderCut = row.Flag("ResponseHeaderCut"),
            IsResponseBodyCut = row.Flag("ResponseBodyCut"),
            Error = row.Text("Error"),
            RetryId = row.Text("RetryId") is { } retry ? MessageId.Parse(retry) : null,
            ETag = row.ETag,
        };
    }
}
