using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Delivery;

/// <summary>What the error of a redirect says: redirects are not followed, since the signature names the URL (protocol#attempts).</summary>
internal static class RedirectText
{
    // Longer than any URL that a person would copy out of an error.
    private const int MaxLength = 2_000;

    /// <summary>Where the destination wants its requests, absolute and without credentials; null when it does not say.</summary>
    public static string? Of(string url, AttemptOutcome.Response response)
    {
        if (response.StatusCode is < 300 or > 399
            || response.Header["Location"]?[0] is not { Length: > 0 and <= MaxLength } location
            || !Uri.TryCreate(url, UriKind.Absolute, out var source)
            || !Uri.TryCreate(source, HeaderValue.ToText(location.Trim()), out var target)
            || target.Scheme is not ("http" or "https"))
            return null;
        var place = Shown(target);
        if (place.Length > MaxLength || place.Any(char.IsControl))
            return null;
        return place == Shown(source) ? $"{response.StatusCode} to {place}: the URL itself, redirects are not followed"
            // The message has been taken; what lies there is a page about it (RFC 9110 §15.4.4).
            : response.StatusCode == 303 ? $"303 to {place}: redirects are not followed"
            : $"{response.StatusCode} to {place}: publish to that URL";
    }

    private static string Shown(Uri uri) => uri.GetComponents(UriComponents.HttpRequestUrl, UriFormat.UriEscaped);
}
