using System.Runtime.InteropServices;
using FuncStash.Storage;

namespace FuncStash.Messages;

/// <summary>Where messages and their events lie in the table, and how they become rows.</summary>
/// <remarks>
/// A partition is a day and a shard. In it, newest first: <c>m|</c> live messages, <c>f|</c> messages that have ended,
/// <c>e|</c> log events, <c>g|</c> marks of ids that may be created only once. A message and the events of its own day
/// share the partition, so state and log change in one commit; the CREATED event is the message's row itself.
/// </remarks>
internal static class MessageRows
{
    public const string Table = "messages";
    public const string Live = "m|", Ended = "f|", Event = "e|", Once = "g|";

    /// <summary>Payloads up to this many bytes stay in the row.</summary>
    public const int InlineBodyBytes = 256 * 1024;

    public static string Partition(int day, int shard) => $"{MessageId.DayText(day)}-{shard}";

    public static string Partition(MessageId id) => Partition(id.PartitionDay, id.Shard);

    public static string Key(string kind, MessageId id) => kind + LogPosition.Of(id.CreatedAt, 0, id.Text);

    /// <summary>The message a row is of or about: the last part of its key.</summary>
    public static MessageId IdOf(string rowKey) => MessageId.Parse(rowKey[(rowKey.LastIndexOf('|') + 1)..]);

    /// <summary>The mark that makes the creation of an id's message happen once.</summary>
    public static Entity OnceMark(MessageId id) => new(Partition(id), Key(Once, id), new Dictionary<string, object>());

    public static Entity ToRow(string kind, StoredMessage stored)
    {
        var (message, progress) = (stored.Message, stored.Progress);
        var values = new Dictionary<string, object>(10)
        {
            ["Spec"] = stored.Spec ?? MessageJson.Write(message),
            ["State"] = progress.State.Wire(),
            ["DueAt"] = progress.DueAt,
            ["Retried"] = (long)progress.Retried,
            ["Events"] = (long)progress.Events,
            ["Ticket"] = (long)progress.Ticket,
        };
        if (message.BodyName is null)
            values["Body"] = message.Body;
        if (progress.EndedAt is { } ended)
            values["EndedAt"] = ended;
        if (progress.ActiveSince is { } active)
            values["ActiveSince"] = active;
        if (progress.DlqId is { } dlqId)
            values["DlqId"] = dlqId;
        if (progress.AttemptTimes is { Count: > 0 } times)
            values["AttemptTimes"] = MemoryMarshal.AsBytes<long>([.. times]).ToArray();
        if (stored.Outbox.Count > 0)
            values["Outbox"] = MessageJson.Write(stored.Outbox);
        if (stored.Followers.Count > 0)
            values["Followers"] = string.Join(',', stored.Followers);
        return new Entity(Partition(message.Id), Key(kind, message.Id), values);
    }

    /// <param name="row">A row of a message.</param>
    /// <param name="known">The message as published, where it need not be parsed again.</param>
    public static StoredMessage FromRow(Entity row, Message? known = null)
    {
        var spec = row.Bytes("Spec")!;
        var id = known?.Id ?? IdOf(row.RowKey);
        var message = (known ?? MessageJson.ReadMessage(spec)) with { Id = id, Body = row.Bytes("Body") ?? [] };
        if (!MessageStates.TryParse(row.Text("State")!, out var state))
            throw new InvalidDataException($"{id}: unknown state {row.Text("State")}");
        var progress = new Progress
        {
            State = state,
            DueAt = row.Number("DueAt") ?? 0,
            Retried = (int)(row.Number("Retried") ?? 0),
            Events = (int)(row.Number("Events") ?? 1),
            Ticket = (int)(row.Number("Ticket") ?? 0),
            EndedAt = row.Number("EndedAt"),
            ActiveSince = row.Number("ActiveSince"),
            DlqId = row.Text("DlqId"),
            AttemptTimes = row.Bytes("AttemptTimes") is { } times ? MemoryMarshal.Cast<byte, long>(times).ToArray() : [],
        };
        return new StoredMessage(message, progress, row.ETag)
        {
            Spec = spec,
            Outbox = row.Bytes("Outbox") is { } outbox ? MessageJson.ReadEvents(outbox) : [],
            Followers = row.Text("Followers")?.Split(',') ?? [],
        };
    }

    public static Entity ToRow(LogEvent item, string partition)
    {
        var values = new Dictionary<string, object>(4) { ["State"] = item.State.Wire() };
        if (item.Error is { } error)
            values["Error"] = error;
        if (item.NextDelivery is { } next)
            values["NextDelivery"] = next;
        if (item.ResponseStatus is { } status)
            values["ResponseStatus"] = (long)status;
        if (item.ResponseHeader is { } header)
            values["ResponseHeader"] = MessageJson.Write(header);
        if (item.ResponseBody is { } body)
            values["ResponseBody"] = body;
        return new Entity(partition, Event + item.Position, values);
    }

    public static LogEvent EventFromRow(Entity row)
    {
        var parts = row.RowKey.Split('|');
        if (!MessageStates.TryParse(row.Text("State")!, out var state))
            throw new InvalidDataException($"{row.RowKey}: unknown state {row.Text("State")}");
        return new LogEvent(parts[3], state, LogPosition.TimeOf(parts[1]), LogPosition.NumberOf(parts[2]))
        {
            Error = row.Text("Error"),
            NextDelivery = row.Number("NextDelivery"),
            ResponseStatus = (int?)row.Number("ResponseStatus"),
            ResponseHeader = row.Bytes("ResponseHeader") is { } header ? MessageJson.ReadHeaders(header) : null,
            ResponseBody = row.Bytes("ResponseBody"),
        };
    }
}
