using System.Net;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>Resolves a destination's host and connects to the addresses that the policy lets it, and to no others.</summary>
/// <remarks>
/// The address that is checked is the address that is connected to: nothing is resolved again in between, so a name that
/// changes its mind (DNS rebinding) gains nothing.
/// </remarks>
internal sealed class DestinationConnector(AddressPolicy policy, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    public DestinationConnector(AddressPolicy policy)
        : this(policy, Dns.GetHostAddressesAsync)
    {
    }

    /// <exception cref="AddressRefusedException">The host has addresses, and none of them may be connected to.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint destination, CancellationToken cancellation)
    {
        var addresses = await AllowedAsync(destination.Host, cancellation);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, destination.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal async Task<IPAddress[]> AllowedAsync(string host, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(host, out var literal))
            return policy.Refusal(literal) is { } reason ? throw new AddressRefusedException(reason) : [literal];
        string? refusal = null;
        var allowed = new List<IPAddress>();
        foreach (var address in await resolve(host, cancellation))
        {
            if (policy.Refusal(address) is { } reason)
                refusal ??= reason;
            else
                allowed.Add(address);
        }
        if (allowed.Count > 0)
            return [.. allowed];
        throw refusal is null
            ? new SocketException((int)SocketError.HostNotFound)
            : new AddressRefusedException($"{host} resolves to an address that is refused: {refusal}");
    }
}

/// <summary>The destination is at an address that deliveries must not go to.</summary>
public sealed class AddressRefusedException(string message) : IOException(message);
