using System.Net;
using FuncStash.Settings;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Access;

/// <summary>
/// Keeps web pages from using a server whose credentials everybody knows (protocol#development-server): neither a page of another origin nor one
/// whose own name was made to point here (DNS rebinding) gets in. Command-line clients and the SDKs send none of what it looks at.
/// </summary>
public sealed class DevelopmentGuard(FuncStashOptions options)
{
    private const string Why = "forbidden: this server has the public development credentials, so ";
    private const string Remedy = ": set QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY to allow it";

    private static readonly string[] s_reserved = [".localhost", ".test", ".internal"];

    private readonly bool _isOn = DevServer.IsUsedBy(options);

    // The last one that was let in: nearly all requests have the same.
    private string? _localHost;

    /// <summary>Why a request is refused; null when it may go on.</summary>
    public string? RefusalOf(HttpRequest request)
    {
        if (!_isOn)
            return null;
        var host = request.Host;
        // What has no Host comes from no browser.
        if (host.HasValue && host.Value != _localHost)
        {
            if (!IsLocal(host.Host))
                return $"{Why}it answers under local names only, such as localhost, and not as {host}{Remedy}";
            _localHost = host.Value;
        }
        string? origin = request.Headers.Origin, site = request.Headers["Sec-Fetch-Site"];
        // A form of the console has no referrer, and therefore the origin "null".
        if ((site == "same-origin" && origin is null or "null") || IsVisit(request))
            return null;
        return origin is null
            ? site is "cross-site" or "same-site" ? $"{Why}web pages of other origins may not use it{Remedy}" : null
            : origin == DevServer.ConsoleOrigin || IsOf(host, origin) ? null
            : $"{Why}web pages of {origin} may not use it{Remedy}";
    }

    /// <summary>
    /// Whether it is an address, or a name that no public DNS server can give an address: of one label, below <c>localhost</c>
    /// or <c>test</c> (RFC 6761), or below <c>internal</c> (reserved by ICANN), as <c>host.docker.internal</c> is.
    /// </summary>
    /// <remarks>Not below <c>local</c>: whoever is in the same network answers for such a name (RFC 6762), first so and then otherwise.</remarks>
    internal static bool IsLocal(string host)
    {
        var name = host.TrimEnd('.');
        return IPAddress.TryParse(name, out _)
            || !name.Contains('.', StringComparison.Ordinal)
            || s_reserved.Any(domain => name.EndsWith(domain, StringComparison.OrdinalIgnoreCase));
    }

    // Somebody follows a link to the console: that changes nothing, and the page with the link cannot read what comes back.
    private static bool IsVisit(HttpRequest request) =>
        request.Method is "GET" or "HEAD" && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document"
        && (request.Path == "/" || request.Path.StartsWithSegments("/console"));

    // The server's own pages.
    private static bool IsOf(HostString host, string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && uri.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase)
        && uri.Port == (host.Port ?? (uri.Scheme == "https" ? 443 : 80));
}
