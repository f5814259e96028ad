using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace FuncStash.Server.Connections;

/// <summary>The sockets of all addresses the server listens on, one port for all, bound before anything else is begun.</summary>
internal sealed class BoundSockets
{
    private const int MaxTries = 100;

    private readonly List<(IPEndPoint EndPoint, Socket Socket)> _sockets = [];

    private BoundSockets()
    {
    }

    /// <summary>The addresses with their port, the one to tell people first.</summary>
    public IEnumerable<IPEndPoint> EndPoints => _sockets.Select(bound => bound.EndPoint);

    /// <param name="addresses">The first one is needed, the others where this machine has them.</param>
    /// <param name="port">0 for one that the system chooses, free at all addresses.</param>
    /// <exception cref="SocketException"><see cref="SocketError.AddressAlreadyInUse"/> when the port is taken at any of them.</exception>
    public static BoundSockets Bind(IReadOnlyList<IPAddress> addresses, int port)
    {
        for (var tries = 1; ; tries++)
        {
            var bound = new BoundSockets();
            try
            {
                foreach (var address in addresses)
                    bound.Add(address, port);
                return bound;
            }
            catch (SocketException error)
            {
                bound._sockets.ForEach(one => one.Socket.Dispose());
                if (error.SocketErrorCode != SocketError.AddressAlreadyInUse || port != 0 || tries == MaxTries)
                    throw;
            }
        }
    }

    /// <summary>The socket for an address, which belongs to the caller from now on.</summary>
    public Socket Take(EndPoint endPoint) => _sockets.Find(bound => bound.EndPoint.Equals(endPoint)).Socket;

    private void Add(IPAddress address, int port)
    {
        try
        {
            var endPoint = new IPEndPoint(address, _sockets.Count > 0 ? _sockets[0].EndPoint.Port : port);
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
            _sockets.Add(((IPEndPoint)socket.LocalEndPoint!, socket));
        }
        catch (SocketException error) when (_sockets.Count > 0 && error.SocketErrorCode != SocketError.AddressAlreadyInUse)
        {
            // A machine without IPv6.
        }
    }
}
