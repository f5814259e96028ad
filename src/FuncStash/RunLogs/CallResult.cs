using System.Text;
using System.Text.Json;
using FuncStash.Wire;

namespace FuncStash.RunLogs;

/// <summary>Results of calls as they may be shown: the headers that a third party answered with stand in them.</summary>
public static class CallResult
{
    /// <summary>The kind of the steps whose results these are, as the SDK names it.</summary>
    public const string StepType = "Call";

    /// <summary>A result with its headers redacted where they are to be; what is no result of a call stays as it is.</summary>
    /// <param name="result">What the SDK made of the answer: JSON with <c>status</c>, <c>header</c> and <c>body</c>.</param>
    /// <param name="redact">What is to be redacted; null for nothing.</param>
    public static string Shown(string result, RedactFields? redact)
    {
        if (redact is null or { AllHeaders: false, Headers.Count: 0 })
            return result;
        try
        {
            using var document = WholeText.Parse(Encoding.UTF8.GetBytes(result));
            return document.RootElement.ValueKind == JsonValueKind.Object ? Redacted(document.RootElement, redact) : result;
        }
        catch (JsonException)
        {
            return result;
        }
    }

    private static string Redacted(JsonElement result, RedactFields redact)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, JsonText.Options))
        {
            json.WriteStartObject();
            foreach (var property in result.EnumerateObject())
            {
                if (property.Name != "header" || property.Value.ValueKind != JsonValueKind.Object)
                {
                    property.WriteTo(json);
                    continue;
                }
                json.WriteStartObject(property.Name);
                foreach (var header in property.Value.EnumerateObject())
                {
                    json.WritePropertyName(header.Name);
                    Write(json, header.Name, header.Value, redact);
                }
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    // A value has a character for each byte, as it came.
    private static void Write(Utf8JsonWriter json, string name, JsonElement value, RedactFields redact)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            json.WriteStartArray();
            foreach (var one in value.EnumerateArray())
                Write(json, name, one, redact);
            json.WriteEndArray();
        }
        else if (value.ValueKind == JsonValueKind.String)
        {
            json.WriteStringValue(redact.Header(name, value.GetString()!));
        }
        else
        {
            value.WriteTo(json);
        }
    }
}
