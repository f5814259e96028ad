using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Callbacks;

/// <summary>The JSON that callbacks and failure callbacks carry (protocol#callback-body).</summary>
/// <remarks>
/// It is no bigger than a message may be. Where the two bodies do not fit, each has half of the room, or what the other
/// leaves of it; of one that is cut the first part comes, in whole base64 groups, with a mark: <c>"bodyTruncated": true</c>,
/// <c>"sourceBodyTruncated": true</c>. <c>"headerTruncated": true</c> tells of response headers that were too many.
/// </remarks>
internal static class CallbackBody
{
    /// <summary>A body has so much room at least, in bytes, however small messages may be: the headers alone can take half of it.</summary>
    public const int LeastLimit = 256 * 1024;

    public static byte[] Create(
        Message source, byte[] body, int retried, AttemptOutcome outcome, string? dlqId, FuncStashOptions options)
    {
        var response = outcome as AttemptOutcome.Response;
        var header = response?.Kept().Header ?? HeaderMap.Empty;
        var parts = new Parts(header, header.Count < response?.Header.Count || response is { IsHeaderCut: true }, response?.Body ?? [], body);
        var whole = Base64Length(parts.Answer.Length) + Base64Length(parts.Source.Length);
        // Headers and texts take little, mostly; only beside big bodies does it matter how much.
        var limit = Math.Max(options.MaxBodyBytes, LeastLimit);
        if (whole > limit / 4)
            parts = parts.Within(limit - Write(source, parts with { Answer = default, Source = default }, retried, outcome, dlqId).Length - Marks);
        return Write(source, parts with { IsAnswerCut = parts.IsAnswerCut || response is { IsBodyCut: true } }, retried, outcome, dlqId);
    }

    // "bodyTruncated":true, and "sourceBodyTruncated":true,
    private const int Marks = 48;

    /// <summary>What of the callback may be long.</summary>
    private sealed record Parts(HeaderMap Header, bool IsHeaderCut, ReadOnlyMemory<byte> Answer, ReadOnlyMemory<byte> Source)
    {
        public bool IsAnswerCut { get; init; }

        public bool IsSourceCut { get; init; }

        /// <summary>The same with so many characters of base64 at most.</summary>
        public Parts Within(int room)
        {
            var (answer, source) = (Base64Length(Answer.Length), Base64Length(Source.Length));
            if (answer + source <= room)
                return this;
            var half = Math.Max(0, room / 2);
            var forAnswer = Math.Max(half, room - source);
            var forSource = Math.Max(half, room - answer);
            return this with
            {
                Answer = Cut(Answer, forAnswer),
                IsAnswerCut = answer > forAnswer,
                Source = Cut(Source, forSource),
                IsSourceCut = source > forSource,
            };
        }

        private static ReadOnlyMemory<byte> Cut(ReadOnlyMemory<byte> body, int room) =>
            Base64Length(body.Length) <= room ? body : body[..(room / 4 * 3)];
    }

    private static int Base64Length(int bytes) => (bytes + 2) / 3 * 4;

    private static byte[] Write(Message source, Parts parts, int retried, AttemptOutcome outcome, string? dlqId)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
        {
            json.WriteStartObject();
            json.WriteNumber("status", outcome.Status);
            WriteHeader(json, "header", parts.Header);
            WriteMark(json, "headerTruncated", parts.IsHeaderCut);
            json.WriteBase64String("body", parts.Answer.Span);
            WriteMark(json, "bodyTruncated", parts.IsAnswerCut);
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
            json.WriteBase64String("sourceBody", parts.Source.Span);
            WriteMark(json, "sourceBodyTruncated", parts.IsSourceCut);
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

    private static void WriteMark(Utf8JsonWriter json, string name, bool isSo)
    {
        if (isSo)
            json.WriteBoolean(name, true);
    }

    private static void WriteHeader(Utf8JsonWriter json, string name, HeaderMap header)
    {
        json.WritePropertyName(name);
        header.WriteText(json);
    }
}
