using System.Buffers;

namespace FuncStash.Wire;

/// <summary>Names of HTTP headers as they are stored and returned (protocol#header-names).</summary>
public static class HeaderName
{
    private static readonly SearchValues<char> s_tokenCharacters = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>
    /// The form Go gives a header name (<c>textproto.CanonicalMIMEHeaderKey</c>): the first letter and each one behind a
    /// hyphen upper case, the others lower case. A text that is no token is returned as it is.
    /// </summary>
    public static string Canonical(string name)
    {
        if (!IsValid(name) || IsCanonical(name))
            return name;
        return string.Create(name.Length, name, static (canonical, given) =>
        {
            for (var i = 0; i < canonical.Length; i++)
                canonical[i] = StartsWord(given, i) ? char.ToUpperInvariant(given[i]) : char.ToLowerInvariant(given[i]);
        });
    }

    /// <summary>Whether the text is a header name: a token of RFC 9110 §5.6.2.</summary>
    public static bool IsValid(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(s_tokenCharacters);

    private static bool IsCanonical(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (StartsWord(name, i) ? char.IsAsciiLetterLower(name[i]) : char.IsAsciiLetterUpper(name[i]))
                return false;
        }

        return true;
    }

    private static bool StartsWord(string name, int index) => index == 0 || name[index - 1] == '-';
}
