using System.Buffers;
using System.Text;

namespace FuncStash.Wire;

/// <summary>
/// Values of HTTP headers: opaque bytes (RFC 9110 §5.5), held as a text of one character for each byte, U+0000 to U+00FF. So they
/// are read from requests, stored and sent, and whatever encoding a publisher writes in reaches the destination as it came.
/// </summary>
public static class HeaderValue
{
    /// <summary>Reads and writes them on the wire.</summary>
    public static readonly Encoding Bytes = Encoding.Latin1;

    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    private static readonly SearchValues<char> s_controls =
        SearchValues.Create(['\x7F', .. Enumerable.Range(0, ' ').Where(code => code != '\t').Select(code => (char)code)]);

    /// <summary>Whether it can be sent: no control characters but the tab, or nothing at all.</summary>
    public static bool IsValid(string value) =>
        !value.AsSpan().ContainsAny(s_controls) && AreBytes(value);

    /// <summary>The value of a text that came as JSON: its UTF-8.</summary>
    public static string Of(string text) => Ascii.IsValid(text) ? text : OfBytes(Encoding.UTF8.GetBytes(text));

    public static string OfBytes(ReadOnlySpan<byte> bytes) => Bytes.GetString(bytes);

    public static byte[] ToBytes(string value) => Bytes.GetBytes(value);

    /// <summary>The text that the bytes are in UTF-8; false when they are none.</summary>
    public static bool TryReadText(string value, out string text)
    {
        text = value;
        if (Ascii.IsValid(value))
            return true;
        if (!AreBytes(value))
            return false;
        try
        {
            text = s_strictUtf8.GetString(ToBytes(value));
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>For people to read, in answers and in logs: UTF-8 where the bytes are that, else Latin-1.</summary>
    public static string ToText(string value) => TryReadText(value, out var text) ? text : value;

    /// <summary>
    /// The value as it may go out, whatever was stored: nothing in it ends a header line, and a character that is no byte
    /// is its UTF-8.
    /// </summary>
    public static string ToSend(string value)
    {
        if (!AreBytes(value))
            value = Of(value);
        return value.AsSpan().ContainsAny('\r', '\n', '\0') ? value.Replace('\r', ' ').Replace('\n', ' ').Replace('\0', ' ') : value;
    }

    private static bool AreBytes(string value) => !value.AsSpan().ContainsAnyExceptInRange('\0', '\xFF');
}
