using System.Text;

namespace FuncStash.Wire;

/// <summary>Header values as the bytes they are on the wire, each of which is a character from U+0000 to U+00FF (RFC 9110 §5.5).</summary>
public static class HeaderBytes
{
    /// <summary>
    /// The value with nothing in it that ends a header line, and without characters that are no byte: those become the bytes
    /// of UTF-8.
    /// </summary>
    public static string ToSend(string value)
    {
        if (value.AsSpan().ContainsAnyExceptInRange('\u0000', '\u00FF'))
            value = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value));
        return value.AsSpan().ContainsAny('\r', '\n', '\0') ? value.Replace('\r', ' ').Replace('\n', ' ').Replace('\0', ' ') : value;
    }

    /// <summary>What the bytes of a value say to a reader: they are UTF-8 or, where they cannot be, Latin-1.</summary>
    public static string ToRead(string value)
    {
        if (Ascii.IsValid(value) || value.AsSpan().ContainsAnyExceptInRange('\u0000', '\u00FF'))
            return value;
        try
        {
            return s_strict.GetString(Encoding.Latin1.GetBytes(value));
        }
        catch (DecoderFallbackException)
        {
            return value;
        }
    }

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
