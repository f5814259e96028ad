using System.Collections.Frozen;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Telemetry;
using FuncStash.Wire;

namespace FuncStash.Destinations;

/// <summary>Makes the request that a destination receives (protocol#delivered-headers).</summary>
internal static class OutboundRequest
{
    // Each delivery has these, whatever was forwarded.
    private static readonly (string Name, Func<Own, string?> Value)[] s_own =
    [
        ("Upstash-Message-Id", own => own.Message.Id.Text),
        ("Upstash-Retried", own => own.Retries),
        ("Upstash-Retries", own => own.Retries),
        ("Upstash-Max-Retries", own => own.Message.MaxRetries.ToString(CultureInfo.InvariantCulture)),
        ("Upstash-Signature", own => own.Signature),
        ("Upstash-Caller-Ip", own => own.Message.CallerIp),
        ("Upstash-Region", own => own.Region),
        ("Upstash-Topic-Name", own => own.Message.TopicName),
        ("Upstash-Schedule-Id", own => own.Message.ScheduleId),
        .. HeaderTable.Delivered.Select(header => (header.Name, (Func<Own, string?>)(own => header.Delivered!(own.Message)))),
    ];

    // Of the connection, not of the message; or set by the service, whose own values win over forwarded ones.
    private static readonly FrozenSet<string> s_notForwarded = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
    [
        "Accept-Encoding", "Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Authenticate",
        "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", .. s_own.Select(own => own.Name),
    ]);

    private readonly record struct Own(Message Message, string Retries, string Signature, string Region);

    /// <param name="trace">The trace context that goes along, unless the message has one of its own; null for none.</param>
    public static HttpRequestMessage Create(
        Message message, byte[] body, int retried, string signature, string region, TraceContext? trace)
    {
        var request = new HttpRequestMessage(Method(message.Method), ToUri(message.Url));
        if (body.Length > 0 || message.Header.Contains("Content-Type") || message.Method is not ("GET" or "DELETE"))
            request.Content = new ByteArrayContent(body);
        foreach (var (name, values) in message.Header)
        {
            if (s_notForwarded.Contains(name))
                continue;
            var sent = Array.ConvertAll(values, HeaderValue.ToSend);
            // Some names .NET only takes beside a body, even an empty one.
            if (!request.Headers.TryAddWithoutValidation(name, sent))
                (request.Content ??= new ByteArrayContent(body)).Headers.TryAddWithoutValidation(name, sent);
        }
        if (!message.Header.Contains("User-Agent"))
            request.Headers.TryAddWithoutValidation("User-Agent", "Upstash-QStash");
        var own = new Own(message, retried.ToString(CultureInfo.InvariantCulture), signature, region);
        foreach (var (name, valueOf) in s_own)
        {
            if (valueOf(own) is { } value)
                request.Headers.TryAddWithoutValidation(name, value);
        }
        // A trace context that the publisher forwards as a header of the message is its own affair.
        if (trace is not null && !message.Header.Contains("traceparent"))
        {
            request.Headers.TryAddWithoutValidation("traceparent", trace.Parent);
            if (trace.State is { Length: > 0 } state && !message.Header.Contains("tracestate"))
                request.Headers.TryAddWithoutValidation("tracestate", state);
        }
        return request;
    }

    /// <summary>The response's headers, those of its content included.</summary>
    public static HeaderMap ResponseHeaders(HttpResponseMessage response)
    {
        var map = new HeaderMap();
        Copy(response.Headers.NonValidated, map);
        Copy(response.Content.Headers.NonValidated, map);
        return map;
    }

    private static void Copy(HttpHeadersNonValidated headers, HeaderMap map)
    {
        foreach (var (name, values) in headers)
            map.Add(HeaderName.Canonical(name), [.. values]);
    }

    private static HttpMethod Method(string method) => method switch
    {
        "POST" => HttpMethod.Post,
        "GET" => HttpMethod.Get,
        "PUT" => HttpMethod.Put,
        "PATCH" => HttpMethod.Patch,
        "DELETE" => HttpMethod.Delete,
        _ => new HttpMethod(method),
    };

    // Byte for byte what the publisher gave, no dot segments resolved and no escapes changed; less what a request line
    // cannot hold (RFC 9112 §3.2.1): a fragment, letters beyond ASCII, and a query without a path before it.
    private static Uri ToUri(string url)
    {
        var fragment = url.IndexOf('#', StringComparison.Ordinal);
        if (fragment >= 0)
            url = url[..fragment];
        var path = WrittenUrl.Path(url);
        if (path == url.Length)
            return new Uri(url);
        var target = url[path..];
        if (target[0] == '?')
            target = "/" + target;
        return new Uri(
            url[..path] + (Ascii.IsValid(target) ? target : Escaped(target)),
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    private static string Escaped(string target) =>
        string.Concat(target.EnumerateRunes().Select(rune => rune.IsAscii ? rune.ToString() : Uri.EscapeDataString(rune.ToString())));
}
