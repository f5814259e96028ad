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
    public static byte[] Write(Message message) => JsonSerializer.SerializeToUtf8Bytes(message, Default.Message);

    public static byte[] Write(HeaderMap headers) => JsonSerializer.SerializeToUtf8Bytes(headers, Default.HeaderMap);

    public static byte[] Write(IReadOnlyList<LogEvent> events) =>
        JsonSerializer.SerializeToUtf8Bytes([.. events], Default.ListLogEvent);

    public static Message ReadMessage(byte[] json) => JsonSerializer.Deserialize(json, Default.Message)!;

    public static HeaderMap ReadHeaders(byte[] json) => JsonSerializer.Deserialize(json, Default.HeaderMap)!;

    public static List<LogEvent> ReadEvents(byte[] json) => JsonSerializer.Deserialize(json, Default.ListLogEvent)!;
}
