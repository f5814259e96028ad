using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Http;

/// <summary>The request target as it was sent: destinations stand in it raw, so nothing may be decoded or collapsed (contract §1.1).</summary>
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
        if (raw[0] != '/' && raw.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0)
        {
            var path = raw.IndexOf('/', scheme + 3);
            raw = path < 0 ? "/" : raw[path..];
        }
        return new RequestTarget(raw);
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
