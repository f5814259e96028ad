using System.Runtime.InteropServices;
using System.Text.Json;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>Where messages and their events lie in the table, and how they become rows.</summary>
/// <remarks>
/// A partition is a day and a shard. In it, newest first: <c>m|</c> live messages, <c>f|</c> messages that have ended,
/// <c>e|</c> log events, <c>g|</c> marks of ids that may be created only once, <c>x|</c> messages that were set aside
/// because nobody can handle them; <c>p|</c> and a run's key: the live messages of a workflow run. A message and the events
/// of its own day share the partition, so state and log change in one commit; the CREATED event is the message's row itself.
/// </remarks>
internal static class MessageRows
{
    public const string Table = "messages";
    public const string Live = "m|", Ended = "f|", Event = "e|", Once = "g|", Aside = "x|", OfRun = "p|";

    /// <summary>Payloads up to this many bytes stay in the row.</summary>
    public const int InlineBodyBytes = 256 * 1024;

    /// <summary>
    /// The most bytes of the headers and settings of a message, as they are stored. With the payload, the times of its
    /// attempts and the events that wait in it for another day's partition, a row then stays within
    /// <see cref="Entity.MaxBytes"/>; so does a dead letter, which has a response instead of those.
    /// </summary>
    public const int MaxSpecBytes = 128 * 1024;

    /// <summary>The most that is kept of a response's body in an event that waits in its message's row, in bytes.</summary>
    public const int OutboxBodyBytes = 128 * 1024;

    /// <summary>The values of a message's row that tell what was published, but for the payload.</summary>
    public static readonly IReadOnlyList<string> Listed = ["Spec"];

    /// <summary>Those that also tell how far it has come, but for the times of its attempts.</summary>
    public static readonly IReadOnlyList<string> Logged = [.. Listed, "State", "DueAt", "Retried", "Events", "EndedAt", "ActiveSince", "DlqId"];

    /// <summary>Those that also tell how far it has come.</summary>
    public static readonly IReadOnlyList<string> WithoutPayload =
        [.. Listed, "State", "DueAt", "Retried", "Events", "Ticket", "Wait", "EndedAt", "ActiveSince", "DlqId", "AttemptTimes"];

    /// <summary>The values of an event's row, but for the response's headers and body.</summary>
    public static readonly IReadOnlyList<string> ListedEvent = ["State", "Error", "NextDelivery", "ResponseStatus", "ResponseSize"];

    /// <summary>What the headers and settings of a message take as they are stored, in bytes; less than the limit where that is plain.</summary>
    public static int SpecBytes(Message message)
    {
        // A character takes six bytes at most; the fields' own names are few.
        const int Most = 6, Names = 2_000;
        var texts = message.Url.Length + SizeOf(message.Header) + SizeOf(message.Callback) + SizeOf(message.FailureCallback)
            + (message.Run is { } part ? part.RunId.Length + SizeOf(part.Callback) : 0)
            + (message.Labels?.Sum(label => label.Length + 3) ?? 0) + (message.RetryDelay?.Length ?? 0) + (message.Redact?.Length ?? 0)
            + (message.EndpointName?.Length ?? 0) + (message.TraceState?.Length ?? 0);
        return texts < (MaxSpecBytes / Most) - Names ? texts : MessageJson.Write(message).Length;

        static int SizeOf(object? part) => part switch
        {
            HeaderMap headers => headers.Sum(h => 8 + h.Key.Length + h.Value.Sum(value => value.Length + 3)),
            CallbackSettings callback => callback.Url.Length + SizeOf(callback.Settings),
            _ => 0,
        };
    }

    public static string Partition(int day, int shard) => $"{MessageId.DayText(day)}-{shard}";

    public static string Partition(MessageId id) => Partition(id.PartitionDay, id.Shard);

    public static string Key(string kind, MessageId id) => kind + LogPosition.Of(id.CreatedAt, 0, id.Text);

    /// <summary>The message a row is of or about: the last part of its key.</summary>
    public static MessageId IdOf(string rowKey) => MessageId.Parse(rowKey[(rowKey.LastIndexOf('|') + 1)..]);

    /// <summary>The mark that makes the creation of an id's message happen once.</summary>
    public static Entity OnceMark(MessageId id) => new(Partition(id), Key(Once, id), new Dictionary<string, object>());

    /// <summary>The mark of a live message of a run.</summary>
    public static Entity RunMark(Message message) =>
        new(Partition(message.Id), RunMarkKey(message), new Dictionary<string, object>());

    public static string RunMarkKey(Message message) => $"{OfRun}{message.Run!.Key}|{message.Id.Text}";

    public static string RunMarkPrefix(MessageId run) => $"{OfRun}{run.Text}|";

    public static Entity ToRow(string kind, StoredMessage stored)
    {
        var (message, progress) = (stored.Message, stored.Progress);
        if (message.IsBodyLeftOut)
            throw new InvalidOperationException($"{message.Id} was read without its payload and cannot be written");
        var values = new Dictionary<string, object>(10)
        {
            ["Spec"] = stored.Spec ?? MessageJson.Write(message),
            ["State"] = progress.State.Wire(),
            ["DueAt"] = progress.DueAt,
            ["Retried"] = (long)progress.Retried,
            ["Events"] = (long)progress.Events,
            ["Ticket"] = (long)progress.Ticket,
        };
        if (progress.Wait != 0)
            values["Wait"] = (long)progress.Wait;
        if (message.BodyName is null)
            values["Body"] = message.Body;
        if (progress.EndedAt is { } ended)
            values["EndedAt"] = ended;
        if (progress.ActiveSince is { } active)
            values["ActiveSince"] = active;
        if (progress is { ActiveSince: not null, ActiveBy: { } by })
            values["ActiveBy"] = by;
        if (progress.DlqId is { } dlqId)
            values["DlqId"] = dlqId;
        if (progress.Failures > 0)
            values["Failures"] = (long)progress.Failures;
        if (progress.AttemptTimes is { Count: > 0 } times)
            values["AttemptTimes"] = MemoryMarshal.AsBytes<long>([.. times]).ToArray();
        if (stored.Outbox.Count > 0)
            values["Outbox"] = MessageJson.Write(stored.Outbox);
        if (stored.Followers.Count > 0)
            values["Followers"] = string.Join(',', stored.Followers);
        var row = new Entity(Partition(message.Id), Key(kind, message.Id), values);
        // One of before there was a limit: its log is then found without them.
        if (row.Size > Entity.MaxBytes)
            values.Remove("AttemptTimes");
        return row;
    }

    /// <summary>The event as it may wait in its message's row: with as much of the response as there is room for.</summary>
    public static LogEvent Waiting(LogEvent item, StoredMessage stored)
    {
        if (item.Response is not { } response)
            return item;
        // All else in the row, the times of attempts above all, in bytes; base64 makes a body a third longer.
        const int Around = 24 * 1024;
        var taken = (stored.Spec?.Length ?? MaxSpecBytes) + (stored.Message.BodyName is null ? stored.Message.Body.Length : 0);
        var room = Math.Max(0, Entity.MaxBytes - Around - taken);
        return item.With(response.Kept(
            Math.Min(room / 2, OutboxBodyBytes), Math.Min(room / 4, AttemptOutcome.Response.MaxHeaderBytes)));
    }

    /// <param name="row">A row of a message.</param>
    /// <param name="known">The message as published, where it need not be parsed again.</param>
    public static StoredMessage FromRow(Entity row, Message? known = null)
    {
        var spec = row.Bytes("Spec")!;
        var id = known?.Id ?? IdOf(row.RowKey);
        var message = (known ?? MessageJson.ReadMessage(spec)) with { Id = id, Body = row.Bytes("Body") ?? [] };
        return new StoredMessage(message, ProgressFromRow(row), row.ETag)
        {
            Spec = spec,
            Outbox = row.Bytes("Outbox") is { } outbox ? MessageJson.ReadEvents(outbox) : [],
            Followers = row.Text("Followers")?.Split(',') ?? [],
        };
    }

    /// <summary>How far a message has come, as far as its row's values were read.</summary>
    public static Progress ProgressFromRow(Entity row)
    {
        if (!MessageStates.TryParse(row.Text("State")!, out var state))
            throw new InvalidDataException($"{row.RowKey}: unknown state {row.Text("State")}");
        return new Progress
        {
            State = state,
            DueAt = row.Number("DueAt") ?? 0,
            Retried = (int)(row.Number("Retried") ?? 0),
            Events = (int)(row.Number("Events") ?? 1),
            Ticket = (int)(row.Number("Ticket") ?? 0),
            Wait = (int)(row.Number("Wait") ?? 0),
            EndedAt = row.Number("EndedAt"),
            ActiveSince = row.Number("ActiveSince"),
            ActiveBy = row.Text("ActiveBy"),
            DlqId = row.Text("DlqId"),
            Failures = (int)(row.Number("Failures") ?? 0),
            AttemptTimes = row.Bytes("AttemptTimes") is { } times ? MemoryMarshal.Cast<byte, long>(times).ToArray() : [],
        };
    }

    /// <summary>
    /// The message of a row of which only <see cref="Listed"/> was read; null for a row that nobody can read, which is no
    /// reason to keep the others from being read.
    /// </summary>
    public static Message? TryListedFromRow(Entity row) => Try(row, static row =>
    {
        var message = MessageJson.ReadMessage(row.Bytes("Spec")!);
        return message with { Id = IdOf(row.RowKey), IsBodyLeftOut = message.BodyName is null };
    });

    /// <summary>The same of <see cref="Logged"/>.</summary>
    public static StoredMessage? TryLookedFromRow(Entity row) => Try(row, LookedFromRow);

    /// <summary>The payload that a message's or a dead letter's row names, of which only <see cref="Listed"/> was read.</summary>
    public static string? BodyNameOf(Entity row) => MessageJson.ReadMessage(row.Bytes("Spec")!).BodyName;

    /// <summary>The message of a row of which only <see cref="WithoutPayload"/> was read, or <see cref="Logged"/>.</summary>
    public static StoredMessage LookedFromRow(Entity row) =>
        FromRow(row) is var stored && stored.Message.BodyName is null
            ? stored with { Message = stored.Message with { IsBodyLeftOut = true } }
            : stored;

    private static T? Try<T>(Entity row, Func<Entity, T> read)
        where T : class
    {
        try
        {
            return read(row);
        }
        catch (Exception error) when (IsUnreadable(error))
        {
            return null;
        }
    }

    /// <summary>Whether an error says that a row is not as it should be.</summary>
    public static bool IsUnreadable(Exception error) =>
        error is JsonException or InvalidDataException or FormatException or InvalidCastException or ArgumentException;

    public static Entity ToRow(LogEvent item, string partition)
    {
        var values = new Dictionary<string, object>(4) { ["State"] = item.State.Wire() };
        if (item.Error is { } error)
            values["Error"] = error;
        if (item.NextDelivery is { } next)
            values["NextDelivery"] = next;
        if (item.ResponseStatus is { } status)
            values["ResponseStatus"] = (long)status;
        var header = item.ResponseHeader is null ? null : MessageJson.Write(item.ResponseHeader);
        if (header is not null)
            values["ResponseHeader"] = header;
        if (item.ResponseBody is { } body)
            values["ResponseBody"] = body;
        if (item.IsResponseHeaderCut)
            values["ResponseHeaderCut"] = true;
        if (item.IsResponseBodyCut)
            values["ResponseBodyCut"] = true;
        if (item.ResponseStatus is not null)
            values["ResponseSize"] = (long)((header?.Length ?? 0) + (item.ResponseBody?.Length ?? 0));
        return new Entity(partition, Event + item.Position, values);
    }

    /// <summary>The event of a row of which only <see cref="ListedEvent"/> was read.</summary>
    public static LogEvent ListedEventFromRow(Entity row)
    {
        var item = EventFromRow(row);
        // Status 0 is that there was no response.
        return item with { IsResponseLeftOut = item.ResponseStatus > 0 };
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
            ResponseSize = (int?)row.Number("ResponseSize"),
            IsResponseHeaderCut = row.Flag("ResponseHeaderCut"),
            IsResponseBodyCut = row.Flag("ResponseBodyCut"),
        };
    }
}
