using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Callbacks;

/// <summary>The JSON that callbacks and failure callbacks carry (protocol#callback-body).</summary>
internal static class CallbackBody
{
    public static byte[] Create(Message source, byte[] body, int retried, AttemptOutcome outcome, string? dlqId)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteNumber("status", outcome.Status);
            WriteHeader(json, "header", (outcome as AttemptOutcome.Response)?.Header ?? HeaderMap.Empty);
            json.WriteBase64String("body", (outcome as AttemptOutcome.Response)?.Body ?? []);
            json.WriteNumber("retried", retried);
            json.WriteNumber("maxRetries", source.MaxRetries);
            if (dlqId is not null)
                json.WriteString("dlqId", dlqId);
            json.WriteString("sourceMessageId", source.Id.Text);
            WriteIf(json, "topicName", source.TopicName);
            WriteIf(json, "endpointName", source.EndpointName);
            json.WriteString("url", source.Url);
            json.WriteString("method", source.Method);
            WriteHeader(json, "sourceHeader", source.Header);
            json.WriteBase64String("sourceBody", body);
            json.WriteNumber("notBefore", source.NotBefore);
            json.WriteNumber("createdAt", source.CreatedAt);
            WriteIf(json, "scheduleId", source.ScheduleId);
            json.WriteString("callerIP", source.CallerIp);
            WriteIf(json, "error", (outcome as AttemptOutcome.NoResponse)?.Error);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static void WriteIf(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }

    private static void WriteHeader(Utf8JsonWriter json, string name, HeaderMap header)
    {
        json.WritePropertyName(name);
        header.WriteText(json);
    }
}
