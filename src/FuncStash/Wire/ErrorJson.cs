using System.Buffers;
using System.Text.Json;

namespace FuncStash.Wire;

/// <summary>The body of every refusal: an object with the one text <c>error</c> (protocol#errors).</summary>
public static class ErrorJson
{
    public static byte[] Of(string message)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
            Write(json, message);
        return buffer.WrittenSpan.ToArray();
    }

    internal static void Write(Utf8JsonWriter json, string message)
    {
        json.WriteStartObject();
        json.WriteString("error", message);
        json.WriteEndObject();
    }
}
