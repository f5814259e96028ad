using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace FuncStash.Bench;

/// <summary>Publishes the messages of a batch: POST /v2/publish/{sink} (protocol#publish).</summary>
internal sealed class Publisher : IDisposable
{
    private const int MostErrors = 1_000;
    private static readonly TimeSpan s_requestTimeout = TimeSpan.FromSeconds(30);
    private static readonly MediaTypeHeaderValue s_json = new("application/json");

    private readonly HttpMessageInvoker _http;
    private readonly Uri _publish;
    private readonly string _bearer;
    private readonly TimeProvider _time;
    private readonly int _connections;

    public Publisher(Uri server, string token, string sinkUrl, int connections, TimeProvider time)
    {
        _publish = new Uri(server, "v2/publish/" + sinkUrl);
        _bearer = "Bearer " + token;
        _time = time;
        _connections = connections;
        _http = Loopback.Client(connections);
    }

    /// <summary>Closed loop: every connection sends its next message once its last one is answered.</summary>
    public Task SaturateAsync(Batch batch, TimeSpan atMost)
    {
        var next = -1;
        var start = _time.GetTimestamp();
        return Task.WhenAll(Enumerable.Range(0, _connections).Select(_ => Task.Run(SendLoop)));

        async Task SendLoop()
        {
            while (_time.GetElapsedTime(start) < atMost && batch.ErrorCount < MostErrors)
            {
                var seq = Interlocked.Increment(ref next);
                if (seq >= batch.Capacity)
                    return;
                await SendAsync(batch, seq, []);
            }
        }
    }

    /// <summary>Open loop: <paramref name="perSecond"/> messages a second, whether or not earlier ones are answered.</summary>
    public async Task PaceAsync(Batch batch, double perSecond, params (string Name, string Value)[] headers)
    {
        var sends = new List<Task>(batch.Capacity);
        var start = _time.GetTimestamp();
        for (var seq = 0; seq < batch.Capacity && batch.ErrorCount < MostErrors; seq++)
        {
            var wait = TimeSpan.FromSeconds(seq / perSecond) - _time.GetElapsedTime(start);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, _time);
            sends.Add(SendAsync(batch, seq, headers));
        }
        await Task.WhenAll(sends);
    }

    private async Task SendAsync(Batch batch, int seq, (string Name, string Value)[] headers)
    {
        var body = new byte[Batch.BodyBytes];
        batch.WriteBody(body, seq);
        using var request = new HttpRequestMessage(HttpMethod.Post, _publish) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = s_json;
        request.Headers.TryAddWithoutValidation("Authorization", _bearer);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var timeout = new CancellationTokenSource(s_requestTimeout, _time);
        try
        {
            batch.Sent[seq] = _time.GetTimestamp();
            using var response = await _http.SendAsync(request, timeout.Token);
            var answer = await response.Content.ReadAsByteArrayAsync(timeout.Token);
            var now = _time.GetTimestamp();
            if (response.IsSuccessStatusCode)
            {
                batch.AckedId[seq] = MessageId(answer);
                batch.Acked[seq] = now;
            }
            else
            {
                batch.Fail($"HTTP {(int)response.StatusCode}: {Encoding.UTF8.GetString(answer.AsSpan(0, Math.Min(200, answer.Length)))}");
            }
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException or SocketException)
        {
            batch.Fail($"{e.GetType().Name}: {e.Message}");
        }
    }

    internal static string? MessageId(byte[] answer)
    {
        try
        {
            var json = new Utf8JsonReader(answer);
            while (json.Read())
            {
                if (json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals("messageId"u8))
                    continue;
                return json.Read() && json.TokenType == JsonTokenType.String ? json.GetString() : null;
            }
        }
        catch (JsonException)
        {
            // Counted as an id that does not match.
        }
        return null;
    }

    public void Dispose() => _http.Dispose();
}
