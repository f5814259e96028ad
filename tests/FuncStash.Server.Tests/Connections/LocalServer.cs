using System.Net;
using System.Net.Sockets;
using System.Text;
using FuncStash.Server.Connections;
using FuncStash.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace FuncStash.Server.Tests.Connections;

/// <summary>Kestrel in this process as the server sets it up, with an application of the test's behind it.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;

    private LocalServer(WebApplication app) => _app = app;

    /// <param name="answer">The application.</param>
    /// <param name="limits">What is otherwise in Kestrel's limits.</param>
    /// <param name="mostClients">The most connections at a time.</param>
    public static async Task<LocalServer> StartAsync(
        RequestDelegate answer, Action<KestrelServerLimits>? limits = null, int mostClients = 1000)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.ListenAt(BoundSockets.Bind([IPAddress.Loopback], 0), new FuncStashOptions(), mostClients);
        builder.WebHost.ConfigureKestrel(kestrel => limits?.Invoke(kestrel.Limits));
        var app = builder.Build();
        app.Run(context => OpenClients.ServeAsync(context, answer));
        await app.StartAsync();
        return new LocalServer(app);
    }

    public async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, new Uri(_app.Urls.Single()).Port);
        return client;
    }

    /// <summary>Sends bytes, in these pieces, and returns all that comes until the server closes; both as Latin-1.</summary>
    public async Task<string> SendAsync(params IEnumerable<string> pieces)
    {
        using var client = await ConnectAsync();
        var stream = client.GetStream();
        var answer = ReadAsync(stream);
        foreach (var piece in pieces)
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(piece));
            await stream.FlushAsync();
        }
        return await answer.WaitAsync(s_patience, TimeProvider.System);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task<string> ReadAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        return await reader.ReadToEndAsync();
    }
}
