using System.Net;
using System.Net.Sockets;

namespace FuncStash.Testing;

/// <summary>Ports for processes that cannot be asked which one the system gave them.</summary>
internal static class Ports
{
    /// <summary>A port of the loopback address that was free just now.</summary>
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
