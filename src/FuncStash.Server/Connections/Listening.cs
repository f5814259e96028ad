using System.Diagnostics;
using FuncStash.Http;
using FuncStash.Settings;
using Microsoft.AspNetCore.Connections;

namespace FuncStash.Server.Connections;

/// <summary>How the server takes requests in.</summary>
internal static class Listening
{
    /// <summary>Makes Kestrel serve the API's requests at sockets that are bound already.</summary>
    /// <param name="builder">The server's builder.</param>
    /// <param name="sockets">The sockets.</param>
    /// <param name="options">The service's options.</param>
    /// <param name="mostClients">The most connections of clients at a time.</param>
    public static void ListenAt(this WebApplicationBuilder builder, BoundSockets sockets, FuncStashOptions options, int mostClients)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            KestrelSetup.Apply(kestrel, options);
            foreach (var endPoint in sockets.EndPoints)
                kestrel.Listen(endPoint, ClientConnection.Watch);
        });
        // With the sockets' own setting (Startup): nothing that a request does holds its thread up; the stores see to that.
        builder.WebHost.UseSockets(transport => transport.UnsafePreferInlineScheduling = Startup.RunsInline);
        builder.Services.AddSingleton(sockets);
        builder.Services.AddSingleton(services => new OpenClients(mostClients, services.GetService<TimeProvider>() ?? TimeProvider.System));
        builder.Services.AddSingleton<IConnectionListenerFactory, ClientListeners>();
        builder.Services.AddSingleton<DiagnosticSource, RefusedRequests>();
    }
}
