using System.Text.Json;
using System.Text.Json.Serialization;
using FuncStash.Wire;

namespace FuncStash.Messages;

/// <summary>How messages and their events are written into binary values of rows: JSON, absent when null.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Message))]
[JsonSerializable(typeof(HeaderMap))]
[JsonSerializable(typeof(List<LogEvent>))]
internal sealed partial class MessageJson : JsonSerializerContext
{
    private static MessageJson Plain => field ??= new(JsonText.Plain(Default.Options));

    public static byte[] Write(Message message) => JsonSerializer.SerializeToUtf8Bytes(message, Plain.Message);

    public static byte[] Write(HeaderMap headers) => JsonSerializer.SerializeToUtf8Bytes(headers, Plain.HeaderMap);

    public static byte[] Write(IReadOnlyList<LogEvent> events) =>
        JsonSerializer.SerializeToUtf8Bytes([.. events], Plain.ListLogEvent);

    /// <summary>The headers, without the last of them where they would be stored in more than so many bytes.</summary>
    public static HeaderMap Fit(HeaderMap headers, int bytes)
    {
        // A character takes six bytes at most, and a header a few more than its characters.
        const int Most = 6, Around = 16;
        if (headers.Sum(h => Around + (Most * (h.Key.Length + h.Value.Sum(v => v.Length + 1L)))) <= bytes || Write(headers).Length <= bytes)
            return headers;
        var fit = new HeaderMap();
        var left = bytes - Around;
        foreach (var (name, values) in headers)
        {
            var one = new HeaderMap();
            one.Add(name, values);
            left -= Write(one).Length;
            if (left < 0)
                break;
            fit.Add(name, values);
        }
        return fit;
    }

    public static Message ReadMessage(byte[] json) => JsonSerializer.Deserialize(json, Default.Message)!;

    public static HeaderMap ReadHeaders(byte[] json) => JsonSerializer.Deserialize(json, Default.HeaderMap)!;

    public static List<LogEvent> ReadEvents(byte[] json) => JsonSerializer.Deserialize(json, Default.ListLogEvent)!;
}
