using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Llm;

/// <summary>The operator's OpenAI-compatible provider, which the legacy destination <c>api/llm</c> stands for (protocol#llm).</summary>
/// <remarks>
/// The operator chose its address, so it may be a private one; its key is added to requests on their way out and is in no
/// message, log or answer.
/// </remarks>
public sealed class LlmProvider(FuncStashOptions options) : IDisposable
{
    /// <summary>The destination, and the <c>api</c> of messages to it.</summary>
    public const string Api = "api/llm";

    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        RequestHeaderEncodingSelector = static (_, _) => HeaderValue.Bytes,
        ConnectTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    });

    /// <summary>Where chat completions are made; null when no provider is configured.</summary>
    public static string? UrlOf(FuncStashOptions options) => options.LlmBaseUrl is { } url ? url + "/v1/chat/completions" : null;

    /// <summary>Sends a request to the provider, whatever address it had, with the operator's key.</summary>
    /// <exception cref="HttpRequestException">The provider gives no answer, or there is none.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        Address(request);
        try
        {
            return await _client.SendAsync(request, cancellation);
        }
        catch (SocketException gone)
        {
            // Of a connection that is gone before its first use, .NET lets the socket's own exception through.
            throw new HttpRequestException(gone.Message, gone);
        }
    }

    /// <summary>Directs a request at the provider and adds the operator's key.</summary>
    /// <exception cref="HttpRequestException">There is no provider.</exception>
    public void Address(HttpRequestMessage request)
    {
        request.RequestUri = new Uri(UrlOf(options) ?? throw new HttpRequestException("no LLM base URL is configured"));
        if (options.LlmApiKey is { } key)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public void Dispose() => _client.Dispose();
}
