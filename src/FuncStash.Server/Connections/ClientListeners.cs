using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace FuncStash.Server.Connections;

/// <summary>
/// Accepts connections at the sockets that are bound already, as many as there may be (<see cref="OpenClients"/>). Where the
/// system has no file left for one more, it waits in the system's own line, and what is idle is closed for it.
/// </summary>
/// <remarks>Kestrel's own listener takes such an error for a client that has gone, and asks again without a pause.</remarks>
internal sealed class ClientListeners(
    BoundSockets sockets, OpenClients clients, IOptions<SocketTransportOptions> options, ILoggerFactory logs)
    : IConnectionListenerFactory
{
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var transport = options.Value;
        var socket = sockets.Take(endpoint);
        socket.Listen(transport.Backlog);
        var connections = new SocketConnectionContextFactory(
            new SocketConnectionFactoryOptions
            {
                IOQueueCount = transport.IOQueueCount,
                WaitForDataBeforeAllocatingBuffer = transport.WaitForDataBeforeAllocatingBuffer,
                MaxReadBufferSize = transport.MaxReadBufferSize,
                MaxWriteBufferSize = transport.MaxWriteBufferSize,
                UnsafePreferInlineScheduling = transport.UnsafePreferInlineScheduling,
            },
            logs.CreateLogger<ClientListeners>());
        return new(new Listener(socket, endpoint, clients, connections));
    }

    private sealed class Listener(
        Socket socket, EndPoint endpoint, OpenClients clients, SocketConnectionContextFactory connections)
        : IConnectionListener
    {
        private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

        public EndPoint EndPoint => endpoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                Socket? accepted = null;
                try
                {
                    accepted = await socket.AcceptAsync(cancellationToken);
                    accepted.NoDelay = true;
                    var hasRoom = await clients.MakeRoomAsync();
                    var connection = connections.Create(accepted);
                    var client = new OpenClient(clients, connection, hasRoom);
                    connection.Features.Set(client);
                    clients.Add(client);
                    return connection;
                }
                catch (ObjectDisposedException)
                {
                    return null;
                }
                catch (SocketException ended) when (ended.SocketErrorCode == SocketError.OperationAborted)
                {
                    return null;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // Anything else that came out of here would end the listening for good.
                    accepted?.Dispose();
                    if (error is SocketException reset && OwnLimits.ReasonOf(reset.SocketErrorCode) is null)
                        continue;
                    clients.TryCloseLongest(TimeSpan.Zero);
                    await Task.Delay(s_pause, TimeProvider.System, CancellationToken.None);
                }
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            socket.Dispose();
            return default;
        }

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            connections.Dispose();
            return default;
        }
    }
}
