namespace FuncStash.Wire;

/// <summary>A URL in two parts: whom it reaches, and what it asks of them.</summary>
public readonly record struct UrlParts(string Host, string Path)
{
    public static UrlParts Of(string url)
    {
        var start = url.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0 ? scheme + 3 : 0;
        var end = url.AsSpan(start).IndexOfAny('/', '?', '#') is var path and >= 0 ? start + path : url.Length;
        return new UrlParts(url[start..end], url[end..]);
    }
}
