using System.Collections.Frozen;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/events</c> and <c>/v2/logs</c>: the log (protocol#logs).</summary>
public sealed class LogsResource(LogReader reader, MessageStore messages, PageAnswer pages, FuncStashOptions options) : IResource
{
    // Clients that were written when a page had no smaller size than this count on it.
    private const int PageSize = 1000, GroupedPageSize = 10;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/events", AccessLevel.Read, call => ListAsync(call, ["events"])),
        new("GET", "/v2/logs", AccessLevel.Read, call => ListAsync(call, ["logs", "events"])),
    ];

    private Task ListAsync(ApiCall call, string[] names)
    {
        var query = QueryOf(call.Target);
        return pages.WriteAsync(call, names, LinesAsync(query, call.Aborted), query.Count);
    }

    private async IAsyncEnumerable<IPageEntry> LinesAsync(LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var bodies = new Bodies(messages);
        await foreach (var entry in reader.ReadAsync(query, cancellation))
            yield return new Line(entry, bodies, options);
    }

    private static LogQuery QueryOf(RequestTarget target)
    {
        var parameters = new ListParameters(target, "state", "messageIds", "messageId", "groupBy");
        var isGrouped = IsGrouped(parameters.Values("groupBy"));
        return new LogQuery
        {
            Filter = parameters.Filter,
            Count = parameters.Count(isGrouped ? GroupedPageSize : PageSize, PageSize),
            LatestOnly = isGrouped,
            EarliestFirst = parameters.EarliestFirst(byDefault: false),
            States = StatesOf(parameters.Ids("state")),
            MessageIds = parameters.Has("messageIds") || parameters.Has("messageId")
                ? IdsOf([.. parameters.Ids("messageIds"), .. parameters.Ids("messageId")])
                : null,
            After = PositionOf(parameters.Cursor),
        };
    }

    // Each message once, as its latest event has it: the form of the entries is the same.
    private static bool IsGrouped(IReadOnlyList<string> values) => values switch
    {
        [] => false,
        ["messageId", ..] => true,
        [var other, ..] => throw QStashException.BadRequest($"invalid groupBy: {other}: must be messageId"),
    };

    private static FrozenSet<MessageState> StatesOf(IReadOnlyList<string> values)
    {
        var states = new HashSet<MessageState>();
        foreach (var text in values)
        {
            if (text == "IN_PROGRESS")
                states.UnionWith([MessageState.Active, MessageState.Retry, MessageState.Error]);
            else if (MessageStates.TryParse(text, out var state))
                states.Add(state);
            else
                throw QStashException.BadRequest($"invalid state: {text}");
        }
        return states.ToFrozenSet();
    }

    // An id that is none matches nothing, as an unknown one does.
    private static List<MessageId> IdsOf(IEnumerable<string> values) =>
        [.. values.Distinct().Where(text => MessageId.TryParse(text, out _)).Select(MessageId.Parse)];

    // A bare unix time in milliseconds is a cursor too (protocol#logs).
    private static string? PositionOf(string? cursor) =>
        cursor is null || LogPosition.IsValid(cursor) ? cursor
        : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) ? LogPosition.At(ms)
        : throw QStashException.BadRequest($"invalid cursor: {cursor}");

    /// <summary>Payloads of messages: one message's entries often stand side by side.</summary>
    private sealed class Bodies(MessageStore messages)
    {
        private const int Most = 2;

        private readonly Queue<(MessageId Id, Task<byte[]> Body)> _latest = new();

        public MessageStore Messages => messages;

        public Task<byte[]> GetAsync(Message message, CancellationToken cancellation)
        {
            foreach (var (id, known) in _latest)
            {
                if (id == message.Id)
                    return known;
            }
            var body = messages.BodyAsync(message, cancellation).AsTask();
            _latest.Enqueue((message.Id, body));
            if (_latest.Count > Most)
                _latest.Dequeue();
            return body;
        }
    }

    private sealed class Line(LogEntry entry, Bodies bodies, FuncStashOptions options) : IPageEntry
    {
        private LogEvent? _item;
        private byte[] _body = [];

        public string Cursor => entry.Event.Position;

        public int Weight => PageAnswer.WeightOf(entry.Message, options)
            + (entry.Event.IsResponseLeftOut ? entry.Event.ResponseSize ?? AttemptOutcome.Response.MaxBodyBytes : 0);

        public async ValueTask<bool> LoadAsync(CancellationToken cancellation)
        {
            var body = bodies.GetAsync(entry.Message, cancellation);
            _item = await bodies.Messages.WithResponseAsync(entry.Event, cancellation);
            try
            {
                _body = await body;
            }
            catch (InvalidDataException)
            {
                // A purge takes it before it takes the message.
            }
            return _item is not null;
        }

        public void Write(Utf8JsonWriter json) => LogsResource.Write(json, _item!, entry.Message, _body);
    }

    private static void Write(Utf8JsonWriter json, LogEvent item, Message message, byte[] body)
    {
        var redact = MessageAnswer.RedactionOf(message);
        json.WriteStartObject();
        json.WriteNumber("time", item.Time);
        json.WriteString("messageId", item.Message);
        json.WriteString("url", message.Url);
        json.WriteString("state", item.State.Wire());
        json.WritePropertyName("header");
        MessageAnswer.WriteHeader(json, MessageAnswer.Redact(message.Header, redact));
        if (redact is { Body: true })
            MessageAnswer.WriteBody(json, "body", "body", body, redacted: true);
        else if (body.Length > 0)
            json.WriteBase64("body", body);
        json.WriteIf("error", item.Error);
        json.WriteIf("nextDeliveryTime", item.NextDelivery);
        json.WriteIf("topicName", message.TopicName);
        json.WriteIf("endpointName", message.EndpointName);
        json.WriteIf("scheduleId", message.ScheduleId);
        json.WriteIf("queueName", message.QueueName);
        json.WriteIf("responseStatus", item.ResponseStatus);
        if (item.ResponseBody is { Length: > 0 } answer)
            json.WriteBase64("responseBody", answer);
        json.WriteMark("responseBodyTruncated", item.IsResponseBodyCut);
        json.WriteMark("responseHeadersTruncated", item.IsResponseHeaderCut);
        if (item.ResponseHeader is { } responseHeader)
        {
            // The documentation has the plural, the Python SDK reads the singular.
            json.WritePropertyName("responseHeaders");
            MessageAnswer.WriteHeader(json, responseHeader);
            json.WritePropertyName("responseHeader");
            MessageAnswer.WriteHeader(json, responseHeader);
        }
        json.WriteIf("timeout", message.TimeoutMs);
        json.WriteString("method", message.Method);
        MessageAnswer.WriteCallback(json, "callback", "callbackHeaders", message.Callback, redact);
        MessageAnswer.WriteCallback(json, "failureCallback", "failureCallbackHeaders", message.FailureCallback, redact);
        json.WriteNumber("maxRetries", message.MaxRetries);
        json.WriteIf("retryDelayExpression", message.RetryDelay);
        json.WriteIf("retryDelayExpr", message.RetryDelay);
        MessageAnswer.WriteFlowControl(json, message.FlowControl);
        MessageAnswer.WriteLabels(json, message.Labels);
        json.WriteString("callerIP", message.CallerIp);
        json.WriteIf("api", message.Api);
        MessageAnswer.WriteRun(json, message.Run);
        json.WriteEndObject();
    }
}
