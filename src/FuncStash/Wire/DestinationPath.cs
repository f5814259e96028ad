using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace FuncStash.Wire;

/// <summary>The destination in the path of a publish call, as sent and not as normalised (protocol#destinations-in-paths).</summary>
public static partial class DestinationPath
{
    private const string Token = "qstash_token", SettingPrefix = "upstash-";

    /// <summary>Parts a raw request target's tail into the destination and the settings in its query.</summary>
    /// <param name="rawTail">All of the raw target behind <c>/v2/publish/</c> or its like, the query included.</param>
    /// <returns>
    /// The destination byte for byte but for encoded letters of its host, less the parameters that belong to QStash; a destination that is no URL has no
    /// query, so the rest of it is dropped. The settings are <c>qstash_token</c> and every <c>upstash-*</c> parameter,
    /// in order, keys as given (compare them without case), keys and values percent-decoded with <c>+</c> as space; a value
    /// stands for a header's, so it is the bytes that were encoded (<see cref="HeaderValue"/>).
    /// </returns>
    public static (string Destination, IReadOnlyList<KeyValuePair<string, string>> Settings) Split(string rawTail)
    {
        var mark = rawTail.IndexOf('?', StringComparison.Ordinal);
        var destination = Decoded(mark < 0 ? rawTail : rawTail[..mark]);
        if (mark < 0)
            return (destination, []);

        var query = rawTail[(mark + 1)..];
        var settings = TakeSettings(ref query);
        var none = settings.Count > 0 && query.Length == 0;
        if (none || !StartsAsUrl(destination))
            return (destination, settings);

        // A destination that came encoded may have brought a query of its own.
        var join = destination.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        return ($"{destination}{join}{query}", settings);
    }

    /// <summary>Whether the text starts with <c>http://</c> or <c>https://</c>, in any case.</summary>
    internal static bool StartsAsUrl(string text) =>
        text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static List<KeyValuePair<string, string>> TakeSettings(ref string query)
    {
        var settings = new List<KeyValuePair<string, string>>();
        var others = new List<string>();
        foreach (var part in query.Split('&'))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var key = FormDecoded(equals < 0 ? part : part[..equals]);
            if (key.Equals(Token, StringComparison.OrdinalIgnoreCase)
                || key.StartsWith(SettingPrefix, StringComparison.OrdinalIgnoreCase))
                settings.Add(new(key, equals < 0 ? "" : DecodedValue(part[(equals + 1)..])));
            else
                others.Add(part);
        }

        if (settings.Count > 0)
            query = string.Join('&', others);
        return settings;
    }

    /// <summary>The text itself, or its decoded form where only that is a URL; encoded twice at most.</summary>
    private static string Decoded(string text)
    {
        var candidate = text;
        for (var times = 0; times <= 2; times++)
        {
            var repaired = WithBothSlashes(candidate);
            if (StartsAsUrl(repaired))
                return WithReadableHost(repaired);
            candidate = Uri.UnescapeDataString(candidate);
        }

        return text;
    }

    /// <summary>Letters beyond ASCII in a host's name: a client has to percent-encode them in its path (RFC 3986 §3.2.2).</summary>
    private static string WithReadableHost(string url)
    {
        var (start, end) = (WrittenUrl.Authority(url), WrittenUrl.Path(url));
        return url.AsSpan(start, end - start).Contains('%')
            ? string.Concat(url.AsSpan(0, start), EncodedLetters().Replace(url[start..end], letters => Uri.UnescapeDataString(letters.Value)), url.AsSpan(end))
            : url;
    }

    // Nothing that could end the host or begin credentials.
    [GeneratedRegex("(?:%[89A-Fa-f][0-9A-Fa-f])+")]
    private static partial Regex EncodedLetters();

    /// <summary>Gives back the slash that a proxy or framework merged: <c>https:/host</c>.</summary>
    private static string WithBothSlashes(string text)
    {
        var scheme = text.StartsWith("http:/", StringComparison.OrdinalIgnoreCase) ? 6
            : text.StartsWith("https:/", StringComparison.OrdinalIgnoreCase) ? 7
            : text.Length;
        return scheme < text.Length && text[scheme] != '/' ? text.Insert(scheme, "/") : text;
    }

    private static string DecodedValue(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return HeaderValue.OfBytes(WebUtility.UrlDecodeToBytes(bytes, 0, bytes.Length));
    }

    private static string FormDecoded(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
