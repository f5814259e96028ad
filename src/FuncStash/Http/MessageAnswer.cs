using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>Messages as JSON (protocol#messages), with what was to be redacted redacted (protocol#redaction).</summary>
internal static class MessageAnswer
{
    /// <summary>Writes the fields that messages and dead letters share.</summary>
    public static void WriteFields(Utf8JsonWriter json, Message message, byte[] body)
    {
        var redact = RedactionOf(message);
        json.WriteString("messageId", message.Id.Text);
        json.WriteString("url", message.Url);
        json.WriteString("method", message.Method);
        json.WritePropertyName("header");
        WriteHeader(json, Redact(message.Header, redact));
        WriteBody(json, "body", "bodyBase64", body, redact?.Body == true);
        json.WriteNumber("maxRetries", message.MaxRetries);
        json.WriteNumber("notBefore", message.NotBefore);
        json.WriteNumber("createdAt", message.CreatedAt);
        json.WriteString("callerIP", message.CallerIp);
        json.WriteIf("topicName", message.TopicName);
        json.WriteIf("endpointName", message.EndpointName);
        json.WriteIf("queueName", message.QueueName);
        json.WriteIf("scheduleId", message.ScheduleId);
        WriteCallback(json, "callback", "callbackHeader", message.Callback, redact);
        WriteCallback(json, "failureCallback", "failureCallbackHeader", message.FailureCallback, redact);
        WriteFlowControl(json, message.FlowControl);
        json.WriteIf("retryDelayExpression", message.RetryDelay);
        WriteLabels(json, message.Labels);
        json.WriteIf("api", message.Api);
        json.WriteIf("timeout", message.TimeoutMs);
        WriteRun(json, message.Run);
    }

    /// <summary>Writes which workflow run the message is a part of.</summary>
    public static void WriteRun(Utf8JsonWriter json, RunPart? part)
    {
        if (part is null)
            return;
        json.WriteString("workflowRunId", part.RunId);
        json.WriteNumber("workflowCreatedAt", part.Run.CreatedAt);
    }

    public static void WriteFlowControl(Utf8JsonWriter json, FlowControlSettings? flow)
    {
        if (flow is null)
            return;
        json.WriteString("flowControlKey", flow.Key);
        json.WriteIf("rate", flow.Rate);
        json.WriteIf("parallelism", flow.Parallelism);
        json.WriteNumber("period", flow.Period);
    }

    public static void WriteLabels(Utf8JsonWriter json, IReadOnlyList<string>? labels)
    {
        if (labels is null)
            return;
        json.WriteString("label", labels[0]);
        json.WriteTexts("labels", labels);
    }

    public static void WriteCallback(
        Utf8JsonWriter json, string urlName, string headerName, CallbackSettings? callback, RedactFields? redact)
    {
        if (callback is null)
            return;
        json.WriteString(urlName, callback.Url);
        if (callback.Settings.Count > 0)
        {
            json.WritePropertyName(headerName);
            WriteHeader(json, RedactSettings(callback.Settings, redact));
        }
    }

    /// <summary>Publish settings; of those that forward a header the header is meant.</summary>
    public static HeaderMap RedactSettings(HeaderMap settings, RedactFields? redact) =>
        redact is null ? settings : settings.Select((name, value) => redact.Header(NestedNames.ForwardedBy(name) ?? name, value));

    /// <summary>A payload as text where it is UTF-8, else as base64 under another name; nothing when it is empty.</summary>
    public static void WriteBody(Utf8JsonWriter json, string textName, string base64Name, byte[] body, bool redacted)
    {
        if (body.Length == 0)
            return;
        if (redacted)
            json.WriteString(textName, RedactFields.Redacted(body));
        else if (Utf8.IsValid(body))
            json.WriteUtf8(textName, body);
        else
            json.WriteBase64(base64Name, body);
    }

    public static void WriteHeader(Utf8JsonWriter json, HeaderMap header) => header.WriteText(json);

    public static HeaderMap Redact(HeaderMap header, RedactFields? redact) =>
        redact is null ? header : header.Select(redact.Header);

    public static RedactFields? RedactionOf(Message message) =>
        message.Redact is { } text && RedactFields.TryParse(text, out var fields, out _) ? fields : null;

    /// <summary>A payload as text; as base64 where it is none.</summary>
    public static string TextOf(byte[] body) => Utf8.IsValid(body) ? Encoding.UTF8.GetString(body) : Convert.ToBase64String(body);
}
