using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FuncStash.Tests.Running;

/// <summary>A destination on this machine. It keeps the headers it gets, by path, and answers 200 unless told otherwise.</summary>
internal sealed class TestDestination : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, IHeaderDictionary Headers)> _requests = new();

    private TestDestination()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>The status for the n-th attempt (from 0) at a path.</summary>
    public Func<string, int, int> Status { get; set; } = (_, _) => 200;

    public static async Task<TestDestination> StartAsync()
    {
        var destination = new TestDestination();
        await destination._app.StartAsync();
        return destination;
    }

    public string Url(string path) => _app.Urls.Single() + path;

    /// <summary>The headers of each request to a path, in order.</summary>
    public IReadOnlyList<IHeaderDictionary> Headers(string path) => [.. _requests.Where(r => r.Path == path).Select(r => r.Headers)];

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var headers = new HeaderDictionary(context.Request.Headers.ToDictionary());
        _requests.Enqueue((context.Request.Path, headers));
        var retried = int.Parse(headers["Upstash-Retried"]!, CultureInfo.InvariantCulture);
        context.Response.StatusCode = Status(context.Request.Path, retried);
        return Task.CompletedTask;
    }
}
