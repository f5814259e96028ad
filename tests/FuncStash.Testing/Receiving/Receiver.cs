using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Testing;

/// <summary>
/// The application messages are delivered to: a real HTTP server on a port of its own. It answers 200 unless
/// told otherwise, keeps every request, and lets a test wait for them.
/// </summary>
public sealed class Receiver : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly ConcurrentDictionary<string, bool> s_used = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly List<ReceivedRequest> _requests = [];
    private readonly ConcurrentDictionary<string, Answer[]> _answers = new(StringComparer.Ordinal);
    private readonly WebApplication _app;
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Receiver(IPAddress address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestLineSize = 256 * 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 256 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 2000;
            kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.Listen(address, 0);
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.Zero);
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Such as <c>http://127.0.0.1:40123</c>.</summary>
    public string BaseUrl { get; private set; } = "";

    /// <summary>What it answers where <see cref="Answers"/> says nothing of the path.</summary>
    public Func<ReceivedRequest, Answer> Otherwise { get; set; } = _ => Answer.Ok;

    /// <summary>Host and port.</summary>
    public string Authority => new Uri(BaseUrl).Authority;

    /// <summary>Every request so far, in the order they came.</summary>
    public IReadOnlyList<ReceivedRequest> All
    {
        get
        {
            lock (_gate)
                return [.. _requests];
        }
    }

    /// <summary>Starts one on a port that none had before: tests that share a host tell their messages apart by it.</summary>
    /// <param name="address">Where it listens; loopback by default.</param>
    public static async Task<Receiver> StartAsync(IPAddress? address = null)
    {
        var receiver = new Receiver(address ?? IPAddress.Loopback);
        await receiver._app.StartAsync();
        var addresses = receiver._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        receiver.BaseUrl = addresses!.Addresses.Single();
        if (s_used.TryAdd(receiver.BaseUrl, true))
            return receiver;
        // While it holds the port, the next one gets another.
        await using (receiver)
            return await StartAsync(address);
    }

    public string Url(string path) => BaseUrl + path;

    /// <summary>Answers the n-th request to the path with the n-th answer; the last one stays.</summary>
    public void Answers(string path, params Answer[] answers) => _answers[path] = answers;

    public IReadOnlyList<ReceivedRequest> Requests(string path) => [.. All.Where(request => request.Path == path)];

    /// <summary>The first request to the path, once it is there.</summary>
    public async Task<ReceivedRequest> OneAsync(string path) => (await WaitForAsync(path))[0];

    /// <summary>The first request, or the first for which it holds, once it is there.</summary>
    public async Task<ReceivedRequest> FirstAsync(Func<ReceivedRequest, bool>? holds = null)
    {
        ReceivedRequest? found = null;
        await WaitUntilAsync(() => (found = All.FirstOrDefault(holds ?? (_ => true))) is not null);
        return found!;
    }

    /// <summary>The requests to the path, once there are at least so many.</summary>
    public async Task<IReadOnlyList<ReceivedRequest>> WaitForAsync(string path, int count = 1, TimeSpan? timeout = null)
    {
        await WaitUntilAsync(() => Requests(path).Count >= count, timeout, () =>
            $"{count} requests to {path}; there are {Requests(path).Count}, and {All.Count} in all");
        return Requests(path);
    }

    /// <summary>Waits until a condition on what was received holds, looking at each arrival.</summary>
    public async Task WaitUntilAsync(Func<bool> condition, TimeSpan? timeout = null, Func<string>? awaited = null)
    {
        using var expiry = new CancellationTokenSource(timeout ?? s_patience, TimeProvider.System);
        while (true)
        {
            Task arrival;
            lock (_gate)
                arrival = _arrival.Task;
            if (condition())
                return;
            try
            {
                await arrival.WaitAsync(expiry.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException("waited in vain for " + (awaited?.Invoke() ?? "a condition"));
            }
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        var at = TimeProvider.System.GetUtcNow();
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var headers = context.Request.Headers
            .SelectMany(header => header.Value, (header, value) => (Name: header.Key.ToLowerInvariant(), Value: value!))
            .ToLookup(header => header.Name, header => header.Value);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        await AnswerAsync(context, Keep(new(context.Request.Method, target, headers, body.ToArray(), at)));
    }

    private Answer Keep(ReceivedRequest request)
    {
        TaskCompletionSource arrival;
        int earlier;
        lock (_gate)
        {
            earlier = _requests.Count(other => other.Path == request.Path);
            _requests.Add(request);
            (arrival, _arrival) = (_arrival, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        arrival.SetResult();
        return _answers.TryGetValue(request.Path, out var answers)
            ? answers[Math.Min(earlier, answers.Length - 1)]
            : Otherwise(request);
    }

    private static async Task AnswerAsync(HttpContext context, Answer answer)
    {
        try
        {
            await answer.Until.WaitAsync(context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        if (answer.Abort)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
            context.Response.Headers.Append(name, value);
        if (!answer.Body.IsEmpty)
            await context.Response.Body.WriteAsync(answer.Body);
    }
}
