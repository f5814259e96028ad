using System.Globalization;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Bench;

/// <summary>The yardstick: Kestrel, a channel in memory, an HTTP client, and nothing else. It stores nothing, so it is
/// about what this platform on this machine can do at most with a service's two HTTP exchanges per message.</summary>
internal sealed class Ceiling(TimeProvider time, string token)
{
    private const int Workers = 64;
    private const int MostAttempts = 4;
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);
    private const string Prefix = "/v2/publish/";

    private sealed record Job(string Id, Uri Target, string? ContentType, byte[] Body, double RetryDelayMs, int Attempt = 1);

    private readonly Channel<Job> _jobs = Channel.CreateUnbounded<Job>();
    private readonly string _bearer = "Bearer " + token;
    private long _lastId;

    /// <summary>Serves until <paramref name="stop"/>; prints where and with which token once it is ready.</summary>
    public async Task RunAsync(TextWriter ready, CancellationToken stop)
    {
        using var http = Loopback.Client(Workers);
        await using var app = Loopback.Server();
        app.Run(PublishAsync);
        await app.StartAsync(stop);
        await ready.WriteLineAsync($"QSTASH_URL=http://127.0.0.1:{new Uri(app.Urls.First()).Port}");
        await ready.WriteLineAsync($"QSTASH_TOKEN={token}");
        await ready.FlushAsync(CancellationToken.None);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(() => DeliverAllAsync(http, stop), stop)));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private async Task PublishAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (request.Headers.Authorization != _bearer)
        {
            response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        if (request.Path.Value is not { } path || !path.StartsWith(Prefix, StringComparison.Ordinal)
            || !Uri.TryCreate(path[Prefix.Length..], UriKind.Absolute, out var target))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        var body = new byte[request.ContentLength ?? 0];
        await request.Body.ReadExactlyAsync(body);
        var id = string.Create(CultureInfo.InvariantCulture, $"msg_{Interlocked.Increment(ref _lastId):00000000}");
        var retryDelay = (string?)request.Headers["Upstash-Retry-Delay"] is { } ms ? Number(ms) : 1_000;
        var job = new Job(id, target, request.ContentType, body, retryDelay);
        if ((string?)request.Headers["Upstash-Delay"] is { } delay)
            _ = LaterAsync(job, Number(delay.TrimEnd('s')) * 1_000);
        else
            _jobs.Writer.TryWrite(job);
        response.ContentType = "application/json";
        await response.WriteAsync($"{{\"messageId\":\"{id}\"}}");
    }

    private async Task LaterAsync(Job job, double ms)
    {
        var start = time.GetTimestamp();
        // A timer may fire some ms early: it counts in the kernel's coarse ticks.
        while (TimeSpan.FromMilliseconds(ms) - time.GetElapsedTime(start) is var left && left > TimeSpan.Zero)
            await Task.Delay(left < s_tick ? s_tick : left, time);
        _jobs.Writer.TryWrite(job);
    }

    private async Task DeliverAllAsync(HttpMessageInvoker http, CancellationToken stop)
    {
        await foreach (var job in _jobs.Reader.ReadAllAsync(stop))
        {
            if (!await DeliverAsync(http, job, stop) && job.Attempt < MostAttempts)
                _ = LaterAsync(job with { Attempt = job.Attempt + 1 }, job.RetryDelayMs);
        }
    }

    private static async Task<bool> DeliverAsync(HttpMessageInvoker http, Job job, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, job.Target) { Content = new ByteArrayContent(job.Body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", job.ContentType);
        request.Headers.TryAddWithoutValidation("Upstash-Message-Id", job.Id);
        try
        {
            using var response = await http.SendAsync(request, stop);
            await response.Content.CopyToAsync(Stream.Null, stop);
            return response.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or SocketException)
        {
            return false;
        }
    }

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
