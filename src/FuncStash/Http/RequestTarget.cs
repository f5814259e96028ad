using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Http;

/// <summary>The request target as it was sent: destinations stand in it raw, so nothing may be decoded or collapsed (protocol#destinations-in-paths).</summary>
public sealed class RequestTarget
{
    private readonly string _raw;
    private readonly int _query;
    private List<KeyValuePair<string, string>>? _parameters;

    public RequestTarget(string raw)
    {
        _raw = raw;
        _query = raw.IndexOf('?', StringComparison.Ordinal);
        Path = _query < 0 ? raw : raw[.._query];
    }

    /// <summary>The path, undecoded.</summary>
    public string Path { get; }

    public static RequestTarget Of(HttpContext context)
    {
        var raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(raw))
            raw = context.Request.Path.Value + context.Request.QueryString.Value;
        // The absolute form that proxies use (RFC 9112 §3.2.2).
        if (raw is not ['/', ..] && raw.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0)
        {
            var path = raw.AsSpan(scheme + 3).IndexOfAny('/', '?');
            raw = path < 0 ? "/" : raw[(scheme + 3 + path)..];
        }
        return new RequestTarget(WithOneSlash(raw));
    }

    /// <summary>The same target where a base URL with a path put one before it; null where none can have.</summary>
    public RequestTarget? WithoutPrefix()
    {
        var start = Path.IndexOf('/', 1 + Path.IndexOf('/', StringComparison.Ordinal));
        while (start > 0 && !StartsAsRoute(Path.AsSpan(start)))
            start = Path.IndexOf('/', start + 1);
        return start > 0 ? new RequestTarget(_raw[start..]) : null;
    }

    private static bool StartsAsRoute(ReadOnlySpan<char> path) =>
        path.StartsWith("/v2/", StringComparison.OrdinalIgnoreCase) || path.StartsWith("/llm/", StringComparison.OrdinalIgnoreCase);

    // A base URL that ends in a slash makes two of them.
    private static string WithOneSlash(string raw)
    {
        var start = 0;
        while (start + 1 < raw.Length && raw[start] == '/' && raw[start + 1] == '/')
            start++;
        return raw[start..];
    }

    /// <summary>Everything after <paramref name="position"/> in the target, the query included.</summary>
    public string RawFrom(int position) => _raw[Math.Min(position, _raw.Length)..];

    /// <summary>The query parameters in order, decoded; a repeated name stands several times.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters => _parameters ??= ReadParameters();

    public string? this[string name]
    {
        get
        {
            foreach (var (key, value) in Parameters)
            {
                if (key == name)
                    return value;
            }
            return null;
        }
    }

    private List<KeyValuePair<string, string>> ReadParameters()
    {
        var list = new List<KeyValuePair<string, string>>();
        if (_query < 0)
            return list;
        foreach (var part in _raw[(_query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            list.Add(equals < 0 ? new(Decode(part), "") : new(Decode(part[..equals]), Decode(part[(equals + 1)..])));
        }
        return list;
    }

    internal static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
}
