using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Testing;

/// <summary>A destination on this machine. It keeps the headers it gets, by path, and answers 200 unless told otherwise.</summary>
internal sealed class TestDestination : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Path, IHeaderDictionary Headers)> _requests = new();
    private StandIn _server = null!;

    private TestDestination()
    {
    }

    /// <summary>The status for the n-th attempt (from 0) at a path.</summary>
    public Func<string, int, int> Status { get; set; } = (_, _) => 200;

    public static async Task<TestDestination> StartAsync()
    {
        var destination = new TestDestination();
        destination._server = await StandIn.StartAsync(destination.AnswerAsync);
        return destination;
    }

    public string Url(string path) => _server.Url + path;

    /// <summary>The headers of each request to a path, in order.</summary>
    public IReadOnlyList<IHeaderDictionary> Headers(string path) => [.. _requests.Where(r => r.Path == path).Select(r => r.Headers)];

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var headers = new HeaderDictionary(context.Request.Headers.ToDictionary());
        _requests.Enqueue((context.Request.Path, headers));
        var retried = int.Parse(headers["Upstash-Retried"]!, CultureInfo.InvariantCulture);
        context.Response.StatusCode = Status(context.Request.Path, retried);
        return Task.CompletedTask;
    }
}
