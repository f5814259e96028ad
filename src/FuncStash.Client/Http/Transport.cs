using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FuncStash.Client;

/// <summary>Makes calls, again where that is safe, and reads their answers. Safe for use by many threads.</summary>
internal sealed class Transport
{
    private static readonly string s_userAgent =
        $"FuncStash.Client/{typeof(Transport).Assembly.GetName().Version?.ToString(3) ?? "0"}";

    private readonly HttpClient _http;
    private readonly string _baseUrl;
    private readonly AuthenticationHeaderValue _authorization;
    private readonly QStashClientOptions _options;
    private readonly TimeProvider _time;

    public Transport(HttpClient http, QStashClientOptions options, Func<string, string?> setting, TimeProvider time)
    {
        (_http, _options, _time) = (http, options, time);
        var baseUrl = options.BaseUrl
            ?? (setting("QSTASH_URL") is { Length: > 0 } url ? new Uri(url, UriKind.RelativeOrAbsolute) : QStashClientOptions.DefaultBaseUrl);
        if (!baseUrl.IsAbsoluteUri || baseUrl.Scheme is not ("http" or "https"))
            throw new ArgumentException($"The base URL must be an http or https URL; it is '{baseUrl}'.", nameof(options));
        if (options.Retry.Delay < TimeSpan.Zero || options.Retry.MaxDelay < TimeSpan.Zero)
            throw new ArgumentException("The delays between retries must not be negative.", nameof(options));
        _baseUrl = baseUrl.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _authorization = new AuthenticationHeaderValue(
            "Bearer",
            options.Token ?? (setting("QSTASH_TOKEN") is { Length: > 0 } token ? token
                : throw new InvalidOperationException("No token: set QStashClientOptions.Token or QSTASH_TOKEN.")));
    }

    /// <summary>Whether any failed call is made again.</summary>
    public bool Retries => _options.Retry.MaxRetries > 0;

    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Makes a call whose answer has nothing to read.</summary>
    public Task SendAsync(ApiRequest request, CancellationToken cancellation) =>
        SendAsync(request, static (_, _) => Task.FromResult(true), cancellation);

    /// <summary>Makes a call whose answer is JSON.</summary>
    public Task<T> SendAsync<T>(ApiRequest request, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(request, (response, limit) => ReadAsync(response, type, limit), cancellation);

    private async Task<T> SendAsync<T>(
        ApiRequest request, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        var started = _time.GetTimestamp();
        for (var retries = 0; ; retries++)
        {
            TimeSpan? wait = null;
            try
            {
                return await AttemptAsync(request, read, cancellation).ConfigureAwait(false);
            }
            catch (QStashRequestException failure) when ((wait = RetryRule.Wait(
                failure, retries, _time.GetElapsedTime(started), request.Repeatable, _options.Retry, Random.Shared.NextDouble())) is not null)
            {
                await Task.Delay(wait.Value, _time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> AttemptAsync<T>(
        ApiRequest request, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        using var message = MessageOf(request);
        try
        {
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode
                ? await read(response, limit.Token).ConfigureAwait(false)
                : throw await Refusal.ReadAsync(response, _time.GetUtcNow(), limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException late)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new QStashRequestException("The service did not answer in time.", inner: late) { IsTransient = true };
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException)
        {
            throw new QStashRequestException("The call failed: " + failure.Message, inner: failure) { IsTransient = true };
        }
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                if (await JsonSerializer.DeserializeAsync(stream, type, cancellation).ConfigureAwait(false) is { } answer)
                    return answer;
            }
            catch (JsonException wrong)
            {
                throw Unreadable(response, wrong.Message, wrong);
            }
        }

        throw Unreadable(response, "it is null", null);
    }

    private static QStashRequestException Unreadable(HttpResponseMessage response, string why, Exception? inner) =>
        new($"The service's answer cannot be read: {why}", (int)response.StatusCode, inner: inner);

    private HttpRequestMessage MessageOf(ApiRequest request)
    {
        var message = new HttpRequestMessage(request.Method, UriOf(_baseUrl + request.Target));
        message.Headers.Authorization = _authorization;
        message.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        if (request.Body is { } body)
            message.Content = new ReadOnlyMemoryContent(body);
        foreach (var (name, value) in request.Headers ?? new Dictionary<string, string>())
        {
            if (!name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
                message.Headers.TryAddWithoutValidation(name, value);
            else
                (message.Content ??= new ReadOnlyMemoryContent(default)).Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    // A destination must arrive as it was written, which the ordinary form of a Uri is not for every one. The other form
    // refuses some of a Uri's methods to handlers in between, so it is for those only.
    private static Uri UriOf(string text)
    {
        var normal = new Uri(text);
        var path = text.IndexOf('/', text.IndexOf("://", StringComparison.Ordinal) + 3);
        return text.AsSpan(path).SequenceEqual(normal.PathAndQuery)
            ? normal
            : new Uri(text, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }
}
