using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Testing;

/// <summary>An attempt as a destination sees it.</summary>
/// <param name="Message">The message's id.</param>
/// <param name="Retried">Its number of retries before.</param>
/// <param name="Path">Of its URL.</param>
/// <param name="Worker">The process it came from: the region that process claims to be in.</param>
/// <param name="Payload">The hash of what came.</param>
internal sealed record PlayArrival(string Message, int Retried, string Path, string Worker, string Payload);

/// <summary>A destination, over real HTTP, whose answers a test decides.</summary>
internal sealed class PlayDestination : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PlayDestination(Func<PlayArrival, Task<int>> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(async context =>
        {
            var headers = context.Request.Headers;
            var payload = Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body));
            context.Response.StatusCode = await answer(new PlayArrival(
                headers["Upstash-Message-Id"]!, int.Parse(headers["Upstash-Retried"]!, CultureInfo.InvariantCulture),
                context.Request.Path, headers["Upstash-Region"]!, payload));
        });
    }

    public string Url => _app.Urls.First();

    public static async Task<PlayDestination> StartAsync(Func<PlayArrival, Task<int>> answer)
    {
        var destination = new PlayDestination(answer);
        await destination._app.StartAsync();
        return destination;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
