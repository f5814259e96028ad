using System.Text.Json;
using FuncStash.Publishing;
using FuncStash.Schedules;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>A schedule as JSON (protocol#schedule-object), with what was to be redacted redacted (protocol#redaction).</summary>
internal sealed record ScheduleAnswer(Schedule Schedule, byte[] Body, IReadOnlyList<KeyValuePair<string, string>> LastStates)
{
    public void Write(Utf8JsonWriter json)
    {
        var (spec, settings) = (Schedule.Spec, Schedule.Spec.Settings);
        var redact = settings.Redact is { } text && RedactFields.TryParse(text, out var fields, out _) ? fields : null;
        json.WriteStartObject();
        json.WriteString("scheduleId", Schedule.Id);
        json.WriteString("cron", spec.Cron);
        json.WriteString("destination", spec.Destination);
        json.WriteString("method", settings.Method ?? "POST");
        json.WriteNumber("createdAt", spec.CreatedAt);
        json.WriteNumber("retries", settings.Retries ?? Publisher.DefaultRetries);
        json.WriteBoolean("isPaused", Schedule.Paused);
        json.WritePropertyName("header");
        MessageAnswer.WriteHeader(json, MessageAnswer.Redact(settings.Header, redact));
        MessageAnswer.WriteBody(json, "body", "bodyBase64", Body, redact?.Body == true);
        json.WriteIf("delay", Seconds(settings.Delay));
        json.WriteIf("timeout", settings.Timeout > TimeSpan.Zero ? Seconds(settings.Timeout) : null);
        MessageAnswer.WriteCallback(json, "callback", "callbackHeader", settings.Callback, redact);
        MessageAnswer.WriteCallback(json, "failureCallback", "failureCallbackHeader", settings.FailureCallback, redact);
        json.WriteIf("queueName", settings.QueueName);
        MessageAnswer.WriteFlowControl(json, settings.FlowControl);
        json.WriteIf("retryDelayExpression", settings.RetryDelay);
        MessageAnswer.WriteLabels(json, settings.Labels);
        // The API description has one spelling, the SDKs the other.
        json.WriteString("callerIP", spec.CallerIp);
        json.WriteString("callerIp", spec.CallerIp);
        json.WriteIf("lastScheduleTime", Schedule.LastAt);
        json.WriteIf("nextScheduleTime", Schedule.NextAt);
        WriteLastStates(json);
        json.WriteIf("error", Schedule.Error);
        json.WriteEndObject();
    }

    private void WriteLastStates(Utf8JsonWriter json)
    {
        if (LastStates.Count == 0)
            return;
        json.WriteStartObject("lastScheduleStates");
        foreach (var (id, state) in LastStates)
            json.WriteString(id, state);
        json.WriteEndObject();
    }

    // Half a second is not none, which would be the limit.
    private static long? Seconds(TimeSpan? duration) => duration is { } d ? (long)Math.Ceiling(d.TotalSeconds) : null;
}
