using System.Globalization;
using System.Text;

namespace FuncStash.Wire;

/// <summary>What may be called: absolute http and https URLs, as somebody wrote them (protocol#destinations).</summary>
public static class HttpUrl
{
    /// <summary>The longest URL, in characters: request lines of common servers end at half of this.</summary>
    public const int MaxLength = 16_000;

    private const string NoScheme = "endpoint has invalid scheme, add http:// or https://";

    /// <summary>
    /// Whether the text is an absolute http or https URL that can be called: with a host, without credentials, spaces
    /// or control characters. Non-ASCII letters are fine, in the host as an internationalised name (RFC 5890).
    /// </summary>
    /// <param name="text">The URL.</param>
    /// <param name="error">The reason without the name of the field, which the caller knows; empty on success.</param>
    public static bool IsValid(string text, out string error)
    {
        error = Refusal(text) ?? "";
        return error.Length == 0;
    }

    private static string? Refusal(string text)
    {
        if (!DestinationPath.StartsAsUrl(text))
            return NoScheme;
        if (text.Length > MaxLength)
            return $"it is longer than {MaxLength} characters";
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnfit(rune))
                return $"it contains the character U+{rune.Value:X4}, which has to be percent-encoded";
        }

        var authority = text.AsSpan(text.IndexOf("//", StringComparison.Ordinal) + 2);
        var end = authority.IndexOfAny("/?#");
        if ((end < 0 ? authority : authority[..end]).Contains('@'))
            return "it contains credentials, forward an Authorization header instead";
        foreach (var rune in text.AsSpan(WrittenUrl.Authority(text)..WrittenUrl.Path(text)).EnumerateRunes())
        {
            if (!HostLetters.IsPlain(rune))
                return $"its host contains the character U+{rune.Value:X4}: write it in plain, composed letters or as xn--…";
        }
        // A client cannot write it into a request's path either: HTTP servers refuse it there (RFC 3986 §7.3).
        if (text.AsSpan(WrittenUrl.Path(text)..WrittenUrl.Query(text)).Contains("%00", StringComparison.Ordinal))
            return "its path contains %00";
        return HasUsableHost(text) ? null : "it has no valid host or port";
    }

    // Backslashes are slashes to some URL parsers and not to others, so they could hide the real host.
    private static bool IsUnfit(Rune rune) =>
        rune.Value is '\\' or 0xFFFD || (rune.IsAscii
            ? rune.Value is <= ' ' or 0x7F
            : Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);

    private static bool HasUsableHost(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Port > 0 && uri.HostNameType switch
        {
            UriHostNameType.IPv4 or UriHostNameType.IPv6 => true,
            // An internationalised name may still turn out to be an address, as with ideographic full stops: refused.
            UriHostNameType.Dns => HasDnsName(uri),
            _ => false,
        };

    private static bool HasDnsName(Uri uri)
    {
        try
        {
            return Uri.CheckHostName(uri.IdnHost) is UriHostNameType.Dns;
        }
        catch (UriFormatException)
        {
            // Uri accepts names that it then cannot write in ASCII, such as one with a non-ASCII letter and a last hyphen.
            return false;
        }
    }
}
