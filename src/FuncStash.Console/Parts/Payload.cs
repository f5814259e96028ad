using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using FuncStash.Wire;

namespace FuncStash.Console.Parts;

/// <summary>A payload as it is shown: text, JSON laid out, hexadecimal, or what stands for one that is redacted.</summary>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Text">What is shown of it.</param>
/// <param name="Pretty">The same laid out, where it is JSON.</param>
/// <param name="Kind">What it is.</param>
/// <param name="IsCut">True when only its first part is here.</param>
public sealed partial record Payload(long Size, string Text, string? Pretty, PayloadKind Kind, bool IsCut)
{
    /// <summary>The most that is shown of a payload unasked, in bytes.</summary>
    public const int Shown = 16 * 1024;

    // Text as it is, not as ASCII.
    private static readonly JsonWriterOptions s_pretty = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Payload Redacted(byte[] body) => new(body.Length, RedactFields.Redacted(body), null, PayloadKind.Redacted, false);

    /// <param name="body">The payload.</param>
    /// <param name="all">Whether all of it is to be shown, however long.</param>
    public static Payload Of(byte[] body, bool all = false)
    {
        if (body.Length == 0)
            return new Payload(0, "", null, PayloadKind.Empty, false);
        var isCut = !all && body.Length > Shown;
        if (!Utf8.IsValid(body))
            return new Payload(body.Length, Hex(body.AsSpan(0, isCut ? 2048 : body.Length)), null, PayloadKind.Binary, isCut);
        var text = Encoding.UTF8.GetString(body.AsSpan(0, isCut ? Boundary(body, Shown) : body.Length));
        var pretty = isCut ? null : Layout(body);
        return new Payload(body.Length, text, pretty, pretty is null ? PayloadKind.Text : PayloadKind.Json, isCut);
    }

    // Not in the middle of a character.
    private static int Boundary(byte[] utf8, int end)
    {
        while (end > 0 && (utf8[end] & 0xC0) == 0x80)
            end--;
        return end;
    }

    private static string? Layout(byte[] body)
    {
        if (body.AsSpan().TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[', ..])
            return null;
        try
        {
            using var document = JsonDocument.Parse(body);
            var text = new ArrayBufferWriter<byte>(body.Length * 2);
            using (var writer = new Utf8JsonWriter(text, s_pretty))
                document.RootElement.WriteTo(writer);
            return Escape().Replace(Encoding.UTF8.GetString(text.WrittenSpan), Character);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair is JSON (RFC 8259 §8.2), and no text that could be written.
            return null;
        }
    }

    // The writer escapes every character beyond the BMP, as two halves.
    private static string Character(Match escape) => escape.Groups["high"] is { Success: true } high
        ? new string([(char)Convert.ToUInt16(high.Value, 16), (char)Convert.ToUInt16(escape.Groups["low"].Value, 16)]) : escape.Value;

    // From the left, escape by escape: a backslash that is escaped itself begins none.
    [GeneratedRegex(@"\\(?:u(?<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?<low>[dD][c-fC-F][0-9a-fA-F]{2})|.)", RegexOptions.Singleline)]
    private static partial Regex Escape();

    /// <summary>Sixteen bytes a line: where, as hexadecimal digits, and what is printable.</summary>
    private static string Hex(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length * 5);
        for (var at = 0; at < bytes.Length; at += 16)
        {
            var line = bytes[at..Math.Min(at + 16, bytes.Length)];
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{at:x8} ");
            for (var i = 0; i < 16; i++)
                text.Append(i == 8 ? "  " : " ").Append(i < line.Length ? line[i].ToString("x2", System.Globalization.CultureInfo.InvariantCulture) : "  ");
            text.Append("  ");
            foreach (var b in line)
                text.Append(b is >= 0x20 and < 0x7f ? (char)b : '.');
            text.Append('\n');
        }
        return text.ToString();
    }
}

public enum PayloadKind
{
    Empty,
    Text,
    Json,
    Binary,
    Redacted,
}
