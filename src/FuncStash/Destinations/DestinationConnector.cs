using System.Net;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>Resolves a destination's host and connects to the addresses that the policy lets it, and to no others.</summary>
/// <remarks>
/// The address that is checked is the address that is connected to: nothing is resolved again in between, so a name that
/// changes its mind (DNS rebinding) gains nothing.
/// </remarks>
/// <param name="policy">Which addresses are open.</param>
/// <param name="time">The clock of the race between a host's addresses.</param>
/// <param name="resolve">Gives a name's addresses, the preferred ones first.</param>
/// <param name="connect">Connects to one address.</param>
internal sealed class DestinationConnector(
    AddressPolicy policy, TimeProvider time, Func<string, CancellationToken, Task<IPAddress[]>> resolve,
    Func<IPEndPoint, CancellationToken, Task<Stream>> connect)
{
    // Whichever of them an application on this machine listens at; what a resolver says of the name differs.
    private static readonly IPAddress[] s_thisMachine = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    /// <param name="policy">Which addresses are open.</param>
    /// <param name="time">The clock of the race between a host's addresses.</param>
    /// <param name="connections">Where the connections are counted.</param>
    /// <param name="lookups">What looks names up.</param>
    public DestinationConnector(AddressPolicy policy, TimeProvider time, OpenConnections connections, HostLookups lookups)
        : this(policy, time, lookups.LookUpAsync, connections.ConnectAsync)
    {
    }

    /// <exception cref="AddressRefusedException">The host has addresses, and none of them may be connected to.</exception>
    /// <exception cref="SocketException">The host has no address, or none that takes the connection.</exception>
    /// <exception cref="OwnLimitException">This process has no connection left.</exception>
    public async ValueTask<Stream> ConnectAsync(DnsEndPoint destination, CancellationToken cancellation)
    {
        var addresses = AddressRace.Order(await AllowedAsync(destination.Host, cancellation));
        return await AddressRace.ConnectAsync(
            addresses, (address, ended) => connect(new IPEndPoint(address, destination.Port), ended), time, cancellation);
    }

    internal async Task<IPAddress[]> AllowedAsync(string host, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(host, out var literal))
            return policy.Refusal(literal) is { } reason ? throw new AddressRefusedException(reason) : [Plain(literal)];
        string? refusal = null;
        var allowed = new List<IPAddress>();
        foreach (var address in AddressPolicy.IsThisMachine(host) ? s_thisMachine : await resolve(host, cancellation))
        {
            if (policy.Refusal(address) is { } reason)
                refusal ??= reason;
            else
                allowed.Add(Plain(address));
        }
        if (allowed.Count > 0)
            return [.. allowed];
        throw refusal is null
            ? new SocketException((int)SocketError.HostNotFound)
            : new AddressRefusedException($"{host} resolves to an address that is refused: {refusal}");
    }

    // Whether an IPv4 address can be reached in its IPv6 form depends on the machine (RFC 4291 §2.5.5.2).
    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}

/// <summary>The destination is at an address that deliveries must not go to.</summary>
public sealed class AddressRefusedException(string message) : IOException(message);
