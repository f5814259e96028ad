using System.Text.Json;
using FuncStash.DeadLetters;
using FuncStash.Wire;

namespace FuncStash.Http;

/// <summary>What the answers about dead letters have in common, of messages and of workflow runs.</summary>
internal static class DlqAnswer
{
    /// <summary>Writes the response that a message failed with.</summary>
    public static void WriteResponse(Utf8JsonWriter json, DeadLetter letter)
    {
        json.WriteNumber("responseStatus", letter.ResponseStatus);
        json.WritePropertyName("responseHeader");
        MessageAnswer.WriteHeader(json, letter.ResponseHeader);
        MessageAnswer.WriteBody(json, "responseBody", "responseBodyBase64", letter.ResponseBody, redacted: false);
        json.WriteMark("responseHeaderTruncated", letter.IsResponseHeaderCut);
        json.WriteMark("responseBodyTruncated", letter.IsResponseBodyCut);
        json.WriteIf("error", letter.Error);
    }

    /// <summary>Answers how many were deleted.</summary>
    public static Task DeletedAsync(ApiCall call, int deleted, string? cursor) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("deleted", deleted);
        json.WriteIf("cursor", cursor);
        json.WriteEndObject();
    });

    /// <summary>Answers which failed alike. Not part of QStash (protocol#dead-letters-that-failed-alike).</summary>
    public static Task WriteGroupsAsync(ApiCall call, IEnumerable<DeadLetterGroup> groups, bool isPart) => call.JsonAsync(200, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("groups");
        foreach (var group in groups)
        {
            json.WriteStartObject();
            json.WriteString("host", group.Host);
            json.WriteNumber("responseStatus", group.Status);
            json.WriteIf("error", group.Error);
            json.WriteNumber("count", group.Count);
            json.WriteNumber("latestAt", group.LatestAt);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteMark("isPart", isPart);
        json.WriteEndObject();
    });

    public static QStashException NotFound(ApiCall call) => QStashException.NotFound($"dlq message {call.Values[0]} not found");
}
