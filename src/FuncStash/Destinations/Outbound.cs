using System.Net;
using System.Net.Sockets;
using FuncStash.Llm;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Telemetry;

namespace FuncStash.Destinations;

/// <summary>The one pooled client that sends to destinations, at addresses they may have (<see cref="AddressPolicy"/>).</summary>
public sealed class Outbound : IDisposable
{
    private readonly FuncStashOptions _options;
    private readonly TimeProvider _time;
    private readonly LlmProvider _llm;
    private readonly HttpMessageInvoker _client;

    public Outbound(FuncStashOptions options, LlmProvider llm, TimeProvider time)
    {
        var connector = new DestinationConnector(new AddressPolicy(options));
        _llm = llm;
        _options = options;
        _time = time;
        _client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            // The message's own trace context is sent on, not that of the worker.
            ActivityHeadersPropagator = null,
            ConnectCallback = (context, cancellation) => connector.ConnectAsync(context.DnsEndPoint, cancellation),
            ConnectTimeout = TimeSpan.FromSeconds(30),
            // DNS changes are followed within this time.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = 256,
        });
    }

    /// <summary>Sends one attempt and reads the response up to the service's limit. Never throws for what a destination does.</summary>
    /// <exception cref="OperationCanceledException">When <paramref name="cancellation"/> ends it.</exception>
    public async Task<AttemptOutcome> SendAsync(
        Message message, byte[] body, int retried, string signature, TraceContext? trace, CancellationToken cancellation)
    {
        var limit = message.TimeoutMs is { } ms && ms < _options.MaxTimeout.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(ms)
            : _options.MaxTimeout;
        using var timeout = new CancellationTokenSource(limit, _time);
        using var either = cancellation.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation)
            : null;
        var token = either?.Token ?? timeout.Token;
        try
        {
            using var request = OutboundRequest.Create(message, body, retried, signature, _options.Region, trace);
            using var response = await (message.Api == LlmProvider.Api
                ? _llm.SendAsync(request, token)
                : _client.SendAsync(request, token));
            var answer = await ReadAsync(response.Content, token);
            return new AttemptOutcome.Response((int)response.StatusCode, OutboundRequest.ResponseHeaders(response), answer);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new AttemptOutcome.NoResponse($"no response within {limit.TotalSeconds:0.###} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException or UriFormatException)
        {
            return new AttemptOutcome.NoResponse(Reason(error));
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength == 0)
            return [];
        using var stream = await content.ReadAsStreamAsync(cancellation);
        var kept = new MemoryStream();
        var buffer = new byte[4096];
        while (kept.Length < _options.MaxBodyBytes)
        {
            var read = await stream.ReadAsync(buffer, cancellation);
            if (read == 0)
                break;
            kept.Write(buffer, 0, (int)Math.Min(read, _options.MaxBodyBytes - kept.Length));
        }
        return kept.ToArray();
    }

    private static string Reason(Exception error) => error switch
    {
        HttpRequestException { InnerException: AddressRefusedException refused } => refused.Message,
        HttpRequestException { InnerException: { } inner } => $"{error.Message} ({inner.Message})",
        _ => error.Message,
    };
}
