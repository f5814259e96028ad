using System.Net;

namespace FuncStash.Destinations;

/// <summary>Gives the addresses of a host.</summary>
/// <exception cref="System.Net.Sockets.SocketException">
/// <c>HostNotFound</c> or <c>NoData</c> when there is no such host; anything else when that is not known.
/// </exception>
public delegate Task<IPAddress[]> HostLookup(string host);

/// <summary>The system's own resolver.</summary>
public static class SystemResolver
{
    /// <summary>Looks up a host on a thread of its own: a resolver that hangs would hold one of the pool's for as long.</summary>
    public static Task<IPAddress[]> LookUpAsync(string host) => Task.Factory.StartNew(
        () => Dns.GetHostAddresses(host), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
