using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FuncStash.Tests.Admission;

/// <summary>A request, with its place in the order of all arrivals and answers.</summary>
internal sealed record Arrival(string Path, string Body, IReadOnlyDictionary<string, string> Headers, int Begun)
{
    public int? Ended { get; set; }
}

/// <summary>Where messages are delivered to: a real HTTP server that keeps what comes, in order.</summary>
internal sealed class LiveReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Lock _lock = new();
    private readonly List<Arrival> _arrivals = [];
    private int _moment;

    private LiveReceiver()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>The status for a path's n-th request, from 0 on.</summary>
    public Func<string, int, Task<int>> Answer { get; set; } = (_, _) => Task.FromResult(200);

    /// <summary>The most requests that were being answered at one time.</summary>
    public int MostAtOnce { get; private set; }

    public IReadOnlyList<Arrival> Arrivals
    {
        get
        {
            lock (_lock)
                return [.. _arrivals];
        }
    }

    public IReadOnlyList<string> Paths => [.. Arrivals.Select(arrival => arrival.Path)];

    public int Count(string path) => Arrivals.Count(arrival => arrival.Path == path);

    public string Url(string path) => _app.Urls.First() + path;

    public static async Task<LiveReceiver> StartAsync()
    {
        var receiver = new LiveReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        Arrival arrival;
        int earlier;
        lock (_lock)
        {
            var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            arrival = new Arrival(context.Request.Path, body, headers, _moment++);
            earlier = _arrivals.Count(a => a.Path == arrival.Path);
            _arrivals.Add(arrival);
            MostAtOnce = Math.Max(MostAtOnce, _arrivals.Count(a => a.Ended is null));
        }
        var status = await Answer(arrival.Path, earlier);
        lock (_lock)
            arrival.Ended = _moment++;
        context.Response.StatusCode = status;
    }
}
