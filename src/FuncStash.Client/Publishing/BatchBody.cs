using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FuncStash.Client;

/// <summary>Writes the body of a batch call, the names of headers in lower case and sorted.</summary>
internal static class BatchBody
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ArgumentException">A body is not UTF-8 text.</exception>
    public static byte[] Of(IEnumerable<(BatchMessage Message, Dictionary<string, string> Headers)> messages)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_json))
        {
            json.WriteStartArray();
            foreach (var (message, headers) in messages)
                Write(json, message, headers);
            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, BatchMessage message, Dictionary<string, string> headers)
    {
        json.WriteStartObject();
        json.WriteString("destination", message.Destination);
        json.WriteStartObject("headers");
        foreach (var (name, value) in headers.Select(h => (Name: h.Key.ToLowerInvariant(), h.Value)).OrderBy(h => h.Name, StringComparer.Ordinal))
            json.WriteString(name, value);
        json.WriteEndObject();
        if (message.Body is { } body)
            json.WriteString("body", body.ToText("a batch has no place for other bytes; publish it by itself."));
        if (message.QueueName is { Length: > 0 } queue)
            json.WriteString("queue", queue);
        json.WriteEndObject();
    }
}
