using System.Net;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Console.Access;

/// <summary>Whether a request comes from a page of this console, as the browser tells it and no page can fake (Fetch Metadata).</summary>
internal static class SameOrigin
{
    /// <summary>True when <c>Sec-Fetch-Site</c>, or where there is none <c>Origin</c>, says that it does. Neither is a no.</summary>
    public static bool Sent(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].FirstOrDefault() is { } site)
            return site == "same-origin";
        if (!Uri.TryCreate(request.Headers.Origin.FirstOrDefault(), UriKind.Absolute, out var origin))
            return false;
        // A proxy may name the browser's host in a header of its own; a page cannot add that to a form.
        return Is(origin, request.Host.Value) || Is(origin, request.Headers["X-Forwarded-Host"].FirstOrDefault());
    }

    /// <summary>
    /// Whether the browser came by https, though a proxy may have gone on without it: it sends <c>Sec-Fetch-Site</c> to
    /// nothing else but its own machine (Fetch Metadata, "potentially trustworthy URL").
    /// </summary>
    public static bool IsSecure(HttpRequest request) =>
        request.IsHttps
        || string.Equals(request.Headers["X-Forwarded-Proto"].FirstOrDefault(), "https", StringComparison.OrdinalIgnoreCase)
        || (TellsSite(request) && !IsThisMachine(request.Host.Host));

    /// <summary>Whether the browser tells by itself where a request comes from.</summary>
    public static bool TellsSite(HttpRequest request) => request.Headers.ContainsKey("Sec-Fetch-Site");

    /// <summary>Whether a host is the browser's own machine, which it trusts without https.</summary>
    public static bool IsThisMachine(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static bool Is(Uri origin, string? host) =>
        host is not null && (origin.Authority.Equals(host, StringComparison.OrdinalIgnoreCase)
            || $"{origin.Host}:{origin.Port}".Equals(host, StringComparison.OrdinalIgnoreCase));
}
