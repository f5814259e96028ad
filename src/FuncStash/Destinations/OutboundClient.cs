using System.Net;
using FuncStash.Wire;

namespace FuncStash.Destinations;

/// <summary>The HTTP client of deliveries: a pool of connections, and beside it connections that serve one request each.</summary>
internal sealed class OutboundClient : IDisposable
{
    /// <summary>How long making a connection may take, TLS included.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How long a connection is kept for another request: each one is a file open on both machines.</summary>
    public static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(5);

    /// <summary>The most that an answer's headers may hold, in KiB.</summary>
    public const int MaxHeaderKilobytes = 64;

    private readonly HttpMessageInvoker _pooled;
    private readonly HttpMessageInvoker _fresh;

    /// <param name="connector">Makes the connections.</param>
    /// <param name="connections">Where they are counted.</param>
    /// <param name="time">Measures how long a connection was kept.</param>
    /// <param name="change">What a test wants otherwise.</param>
    public OutboundClient(
        DestinationConnector connector, OpenConnections connections, TimeProvider time, Action<SocketsHttpHandler>? change = null)
    {
        // DNS changes are followed within this time.
        _pooled = Create(connector, connections, time, TimeSpan.FromMinutes(5), change);
        _fresh = Create(connector, connections, time, TimeSpan.Zero, change);
    }

    /// <summary>
    /// Sends a request. Where a kept connection turns out at once to be closed by the other side, it is sent once more, on a
    /// fresh one.
    /// </summary>
    /// <remarks>
    /// Every server closes connections that it finds idle, and it may do so while a request is on its way to it; nothing is
    /// wrong then (RFC 9112 §9.3.1). The request may all the same have been read, so it may be processed twice: at least once.
    /// </remarks>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Exchange exchange, CancellationToken cancellation)
    {
        try
        {
            var response = await _pooled.SendAsync(request, cancellation);
            if (!exchange.MayCross || !IsForIdleness(response))
                return response;
            response.Dispose();
        }
        catch (HttpRequestException) when (exchange is { MayCross: true, IsBroken: true })
        {
        }
        return await _fresh.SendAsync(request, cancellation);
    }

    public void Dispose()
    {
        _pooled.Dispose();
        _fresh.Dispose();
    }

    // What some servers say before they close an idle connection; it is no answer to a request that just comes in
    // (RFC 9110 §15.5.9).
    private static bool IsForIdleness(HttpResponseMessage response) =>
        response is { StatusCode: HttpStatusCode.RequestTimeout, Headers.ConnectionClose: true };

    private static HttpMessageInvoker Create(
        DestinationConnector connector, OpenConnections connections, TimeProvider time, TimeSpan lifetime,
        Action<SocketsHttpHandler>? change)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            // The message's own trace context is sent on, not that of the worker.
            ActivityHeadersPropagator = null,
            ConnectCallback = (context, cancellation) => connector.ConnectAsync(context.DnsEndPoint, cancellation),
            PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new ExchangeStream(context.PlaintextStream, time, connections)),
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = lifetime,
            PooledConnectionIdleTimeout = IdleTime,
            MaxConnectionsPerServer = 256,
            MaxResponseHeadersLength = MaxHeaderKilobytes,
            // Who stops reading an answer closes its connection.
            MaxResponseDrainSize = 0,
            RequestHeaderEncodingSelector = (_, _) => HeaderValue.Bytes,
            ResponseHeaderEncodingSelector = (_, _) => HeaderValue.Bytes,
        };
        change?.Invoke(handler);
        return new HttpMessageInvoker(handler);
    }
}
