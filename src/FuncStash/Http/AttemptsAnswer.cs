using FuncStash.Delivery;
using FuncStash.Messages;

namespace FuncStash.Http;

/// <summary>What has been done about a message. Not part of QStash (protocol#message-attempts).</summary>
internal static class AttemptsAnswer
{
    public static Task WriteAsync(ApiCall call, MessageAttempts done) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("attempts");
        foreach (var attempt in done.Attempts)
        {
            json.WriteStartObject();
            json.WriteNumber("attempt", attempt.Number);
            json.WriteString("state", attempt.State.Wire());
            json.WriteIf("startedAt", attempt.StartedAt);
            json.WriteIf("endedAt", attempt.Outcome?.Time);
            json.WriteIf("responseStatus", attempt.Outcome?.ResponseStatus);
            json.WriteIf("error", attempt.Outcome?.Error);
            json.WriteIf("nextDeliveryTime", attempt.Outcome?.NextDelivery);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteMark("attemptsTruncated", done.IsCut);
        json.WriteTexts("callbackMessageIds", done.Callbacks.Select(callback => callback.Id.Text));
        json.WriteEndObject();
    });
}
