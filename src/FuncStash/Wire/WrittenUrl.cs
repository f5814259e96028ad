namespace FuncStash.Wire;

/// <summary>Where the parts of an absolute URL begin, as somebody wrote it (RFC 3986 §3): nothing is parsed or normalised.</summary>
internal static class WrittenUrl
{
    public static int Authority(string url) => url.IndexOf("://", StringComparison.Ordinal) + 3;

    /// <summary>Where the authority ends; the path that begins there may be empty.</summary>
    public static int Path(string url) => Before(url, Authority(url), "/?#");

    /// <summary>Where the path ends.</summary>
    public static int Query(string url) => Before(url, Path(url), "?#");

    private static int Before(string url, int start, string ends) =>
        url.AsSpan(start).IndexOfAny(ends) is var length and >= 0 ? start + length : url.Length;
}
