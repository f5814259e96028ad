using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace FuncStash.Publishing;

/// <summary>Where a message goes: one URL, the endpoints of a URL group, or the built-in LLM (contract §4.1).</summary>
public abstract record Destination
{
    /// <summary>The longest URL, in characters: request lines of common servers end at half of this.</summary>
    public const int MaxUrlLength = 16_000;

    private const string LlmText = "api/llm";
    private const string NoScheme = "endpoint has invalid scheme, add http:// or https://";

    private Destination()
    {
    }

    /// <summary>One http or https URL, exactly as given.</summary>
    public sealed record Url(string Text) : Destination;

    /// <summary>All endpoints of the URL group of that name.</summary>
    public sealed record Group(string Name) : Destination;

    /// <summary>The legacy destination <c>api/llm</c>.</summary>
    public sealed record Llm : Destination;

    /// <summary>Reads a destination; <paramref name="error"/> is a sentence for the caller, empty on success.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Destination? value, out string error)
    {
        value = null;
        error = "";
        if (text == LlmText)
            value = new Llm();
        else if (ResourceName.IsValid(text))
            value = new Group(text);
        else if (text.Length == 0)
            error = "invalid destination: it is empty, give a URL or the name of a URL group";
        else if (!LooksLikeUrl(text))
            error = $"invalid destination: a URL group's name is {ResourceName.Rule}";
        else if (TryParseHttpUrl(text, out var reason))
            value = new Url(text);
        else
            error = $"invalid destination url: {reason}";
        return value is not null;
    }

    /// <summary>
    /// Whether the text is an absolute http or https URL that can be called: with a host, without credentials, spaces
    /// or control characters. Non-ASCII letters are fine, in the host as an internationalised name (RFC 5890).
    /// </summary>
    /// <param name="text">The URL.</param>
    /// <param name="error">The reason without the name of the field, which the caller knows; empty on success.</param>
    public static bool TryParseHttpUrl(string text, out string error)
    {
        error = Refusal(text) ?? "";
        return error.Length == 0;
    }

    private static bool LooksLikeUrl(string text) => text.AsSpan().ContainsAny(":/?");

    private static string? Refusal(string text)
    {
        if (!DestinationPath.StartsAsUrl(text))
            return NoScheme;
        if (text.Length > MaxUrlLength)
            return $"it is longer than {MaxUrlLength} characters";
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnfit(rune))
                return $"it contains the character U+{rune.Value:X4}, which has to be percent-encoded";
        }

        var authority = text.AsSpan(text.IndexOf("//", StringComparison.Ordinal) + 2);
        var end = authority.IndexOfAny("/?#");
        if ((end < 0 ? authority : authority[..end]).Contains('@'))
            return "it contains credentials, forward an Authorization header instead";
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
            // An internationalised name may still turn out to be an address, as in full-width digits: refused.
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
