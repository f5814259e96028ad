using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace FuncStash.Client;

/// <summary>Builds the paths of calls.</summary>
internal static partial class RequestPath
{
    // What may stand in a request target (RFC 3986 §3.3, RFC 3986 §3.4), and the brackets of IPv6 hosts.
    private static readonly SearchValues<char> s_allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?[]@!$&'()*+,;=%");

    /// <summary>A path whose holes are filled with names and ids, percent-encoded.</summary>
    /// <exception cref="ArgumentException">
    /// A name or id is empty, or nothing but dots that would step out of the path: the call would be another one, such as
    /// the deletion of everything.
    /// </exception>
    public static string Of(string start, string name, string? end = null, string argument = "name")
    {
        ArgumentException.ThrowIfNullOrEmpty(name, argument);
        if (name is "." or "..")
            throw new ArgumentException($"'{name}' is no name.", argument);
        return end is null ? start + Uri.EscapeDataString(name) : $"{start}{Uri.EscapeDataString(name)}/{end}";
    }

    /// <summary>A path that ends in a destination, which stands there as it is written, its query included.</summary>
    /// <returns>The destination with what no request may carry percent-encoded, and without its fragment (RFC 9110 §7.1).</returns>
    /// <exception cref="ArgumentException">It is neither an http(s) URL nor a name.</exception>
    public static string ToDestination(string start, string destination)
    {
        ArgumentException.ThrowIfNullOrEmpty(destination);
        if (!Url().IsMatch(destination) && !Name().IsMatch(destination))
        {
            throw new ArgumentException(
                $"A destination is a URL that starts with http:// or https://, or the name of a URL group; this one is '{destination}'.",
                nameof(destination));
        }

        var fragment = destination.IndexOf('#', StringComparison.Ordinal);
        return start + Encoded(fragment < 0 ? destination : destination[..fragment]);
    }

    private static string Encoded(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(s_allowed))
            return text;
        var encoded = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            var written = rune.ToString();
            encoded.Append(written.AsSpan().ContainsAnyExcept(s_allowed) ? Uri.EscapeDataString(written) : written);
        }

        return encoded.ToString();
    }

    [GeneratedRegex("^https?://[^/?#]", RegexOptions.IgnoreCase)]
    private static partial Regex Url();

    // "api/llm" is QStash's old name of its own language model.
    [GeneratedRegex(@"^(?!\.{1,2}\z)[A-Za-z0-9._-]+\z|^api/llm\z")]
    private static partial Regex Name();
}
