using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FuncStash.Messages;
using FuncStash.Wire;
using Utf8Text = System.Text.Unicode.Utf8;

namespace FuncStash.Http;

/// <summary>Reads JSON request bodies and says what is wrong with those that are not what the call needs.</summary>
internal static class JsonBody
{
    /// <exception cref="QStashException">400 when the body is no JSON of the given kind.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body, JsonValueKind kind)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException error)
        {
            throw QStashException.BadRequest($"invalid JSON body: {error.Message}");
        }
        if (document.RootElement.ValueKind == kind)
            return document;
        document.Dispose();
        throw QStashException.BadRequest($"invalid JSON body: must be {(kind == JsonValueKind.Array ? "an array" : "an object")}");
    }

    /// <summary>A string property; null when it is absent or null.</summary>
    public static string? Text(this JsonElement item, string name) => Property(item, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } text => Unescaped(text, name),
        _ => throw Invalid(name, "a string"),
    };

    /// <summary>The UTF-8 of a string property; null when it is absent or null.</summary>
    public static byte[]? Utf8(this JsonElement item, string name)
    {
        if (Property(item, name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            throw Invalid(name, "a string");
        // Not by way of a text, which would be three times as big.
        var quoted = JsonMarshal.GetRawUtf8Value(value);
        if (Utf8Text.IsValid(quoted))
            return quoted.IndexOf((byte)'\\') < 0 ? quoted[1..^1].ToArray() : UnescapedUtf8(quoted, name);
        return Encoding.UTF8.GetBytes(Unescaped(value, name));
    }

    private static byte[] UnescapedUtf8(ReadOnlySpan<byte> quoted, string name)
    {
        var room = ArrayPool<byte>.Shared.Rent(quoted.Length);
        try
        {
            var reader = new Utf8JsonReader(quoted);
            reader.Read();
            return room.AsSpan(0, reader.CopyString(room)).ToArray();
        }
        catch (InvalidOperationException)
        {
            throw NotWhole(name);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static QStashException NotWhole(string name) => Invalid(name, "a string of whole characters");

    // JSON can escape half of a surrogate pair, which is no text.
    internal static string Unescaped(JsonElement text, string name)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw NotWhole(name);
        }
    }

    /// <summary>The properties of an object with their names.</summary>
    public static IEnumerable<(string Name, JsonElement Value)> Properties(this JsonElement item)
    {
        foreach (var property in item.EnumerateObject())
            yield return (NameOf(property), property.Value);
    }

    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw BadName();
        }
    }

    public static bool? Flag(this JsonElement item, string name) => Property(item, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Invalid(name, "true or false"),
    };

    public static int? Number(this JsonElement item, string name) => Property(item, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt32(out var value) => value,
        _ => throw Invalid(name, $"a whole number of at most {int.MaxValue}"),
    };

    /// <summary>Headers, an object of texts or of arrays of them, as values of their UTF-8; null when they are absent or null.</summary>
    public static HeaderMap? Headers(this JsonElement item, string name)
    {
        if (Property(item, name) is not { } headers)
            return null;
        try
        {
            var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(headers));
            reader.Read();
            return HeaderMapConverter.Read(ref reader).Select(static (_, text) => HeaderValue.Of(text));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // What the reader says of it names its own types.
            throw Invalid(name, "an object whose values are texts of whole characters, or arrays of them");
        }
    }

    /// <summary>An array property; empty when it is absent or null.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement item, string name) => Property(item, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } array => array.EnumerateArray(),
        _ => throw Invalid(name, "an array"),
    };

    public static JsonElement? Property(JsonElement item, string name)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw QStashException.BadRequest("invalid JSON body: items must be objects");
        try
        {
            return item.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
        }
        catch (InvalidOperationException)
        {
            throw BadName();
        }
    }

    private static QStashException BadName() => QStashException.BadRequest("invalid JSON body: names must be of whole characters");

    private static QStashException Invalid(string name, string kind) =>
        QStashException.BadRequest($"invalid JSON body: {name} must be {kind}");
}
