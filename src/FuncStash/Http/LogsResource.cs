using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using FuncStash.Access;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary><c>/v2/events</c> and <c>/v2/logs</c>: the log (protocol#logs).</summary>
public sealed class LogsResource(LogReader reader, MessageStore messages) : IResource
{
    // Clients that were written when a page had no smaller size than this count on it.
    private const int PageSize = 1000, GroupedPageSize = 10;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/v2/events", AccessLevel.Read, call => ListAsync(call, ["events"])),
        new("GET", "/v2/logs", AccessLevel.Read, call => ListAsync(call, ["logs", "events"])),
    ];

    private async Task ListAsync(ApiCall call, string[] names)
    {
        var page = await reader.ListAsync(QueryOf(call.Target), call.Aborted);
        var bodies = new Dictionary<MessageId, byte[]>();
        foreach (var entry in page.Entries)
        {
            if (!bodies.ContainsKey(entry.Message.Id))
                bodies[entry.Message.Id] = await messages.BodyAsync(entry.Message, call.Aborted);
        }
        await call.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            foreach (var name in names)
            {
                json.WriteStartArray(name);
                foreach (var entry in page.Entries)
                    Write(json, entry, bodies[entry.Message.Id]);
                json.WriteEndArray();
            }
            json.WriteIf("cursor", page.Next);
            json.WriteEndObject();
        });
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
        ["messageId"] => true,
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

    private static void Write(Utf8JsonWriter json, LogEntry entry, byte[] body)
    {
        var (item, message) = (entry.Event, entry.Message);
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
            json.WriteBase64String("body", body);
        json.WriteIf("error", item.Error);
        json.WriteIf("nextDeliveryTime", item.NextDelivery);
        json.WriteIf("topicName", message.TopicName);
        json.WriteIf("endpointName", message.EndpointName);
        json.WriteIf("scheduleId", message.ScheduleId);
        json.WriteIf("queueName", message.QueueName);
        json.WriteIf("responseStatus", item.ResponseStatus);
        if (item.ResponseBody is { Length: > 0 } answer)
            json.WriteBase64String("responseBody", answer);
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
        json.WriteEndObject();
    }
}
