using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Functions.Http;

/// <summary>Gives a request back what the way through Azure's front end and the Functions host took from it.</summary>
internal static class FrontEnd
{
    // Never the client's, so no part of a message that forwards all headers.
    private static readonly string[] s_ofTheHost =
    [
        "X-Original-For", "X-Original-Host", "X-Original-Proto", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
        "x-ms-invocation-id",
    ];

    public static void Restore(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestFeature>() is { } request)
            request.RawTarget = RawTarget(request.RawTarget);
        if (CallerAddress(context.Request.Headers) is { } caller)
            context.Connection.RemoteIpAddress = caller;
        foreach (var name in s_ofTheHost)
            context.Request.Headers.Remove(name);
    }

    /// <summary>
    /// The host decodes the path, all but <c>%2F</c>, and encodes it again for this process, so that <c>%2F</c> arrives as
    /// <c>%252F</c>. (A client's own <c>%252F</c> arrives the same, and cannot be told from it.) The query is left as it was.
    /// </summary>
    internal static string RawTarget(string received)
    {
        var query = received.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? received : received[..query];
        return WithBrackets(path.Replace("%252F", "%2F", StringComparison.OrdinalIgnoreCase)) + received[path.Length..];
    }

    // The brackets of an IPv6 host are escaped on the way; escaped, a host has them for no other reason.
    private static string WithBrackets(string path)
    {
        const string Open = "://%5B", Close = "%5D";
        var open = path.IndexOf(Open, StringComparison.OrdinalIgnoreCase);
        var close = open < 0 ? -1 : path.IndexOf(Close, open, StringComparison.OrdinalIgnoreCase);
        return close < 0 ? path : $"{path[..open]}://[{path[(open + Open.Length)..close]}]{path[(close + Close.Length)..]}";
    }

    // X-Forwarded-For is consumed before this, with what the host makes of it; the front end also sends what it saw itself.
    internal static IPAddress? CallerAddress(IHeaderDictionary headers)
    {
        var seen = headers["X-Client-IP"].FirstOrDefault() ?? headers["Client-IP"].FirstOrDefault()
            ?? headers["X-Forwarded-For"].FirstOrDefault()?.Split(',')[^1];
        return IPEndPoint.TryParse(seen?.Trim() ?? "", out var endpoint) ? endpoint.Address : null;
    }
}
