using System.Net;
using FuncStash.Settings;

namespace FuncStash.Destinations;

/// <summary>Which addresses deliveries may go to: public ones, and those the operator allows.</summary>
/// <remarks>A message must not reach what only the service can reach: its own network, its machine, its cloud's secrets.</remarks>
public sealed class AddressPolicy(FuncStashOptions options)
{
    /// <summary>Why a delivery must not go to an address; null when it may.</summary>
    public string? Refusal(IPAddress address)
    {
        var kind = AddressKinds.Of(address);
        if (kind == AddressKind.Public || IsAllowed(address, kind))
            return null;
        return $"{address} is {Describe(kind)}, a destination must be publicly accessible";
    }

    /// <summary>
    /// Why a URL's host cannot be delivered to, as far as the URL itself tells; a name tells only when it is resolved.
    /// </summary>
    /// <param name="url">The URL.</param>
    /// <param name="name">The name that is to be resolved, in ASCII; null when there is nothing to resolve.</param>
    public string? RefusalOfHost(string url, out string? name)
    {
        name = null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri))
            return null;
        // Uri has read every way to write an IPv4 address: hexadecimal, octal, one number.
        if (uri.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
            return IPAddress.TryParse(uri.IdnHost, out var address) ? Refusal(address) : null;
        if (IsThisMachine(uri.IdnHost))
        {
            return Refusal(IPAddress.Loopback) is null || Refusal(IPAddress.IPv6Loopback) is null
                ? null
                : $"{uri.IdnHost} is this machine, a destination must be publicly accessible";
        }
        name = uri.IdnHost;
        return null;
    }

    /// <summary>True for <c>localhost</c> and the names below it, which are this machine's whatever DNS says (RFC 6761 §6.3).</summary>
    internal static bool IsThisMachine(string host)
    {
        var name = host.TrimEnd('.');
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }

    // Metadata, link-local and multicast addresses open to a network that names them and to nothing else.
    private bool IsAllowed(IPAddress address, AddressKind kind)
    {
        if (options.AllowPrivateNetworks
            && kind is (AddressKind.Loopback or AddressKind.Private or AddressKind.Shared or AddressKind.Reserved))
            return true;
        var reached = AddressKinds.Reached(address);
        foreach (var network in options.AllowedNetworks)
        {
            if (network.Contains(reached))
                return true;
        }
        return false;
    }

    private static string Describe(AddressKind kind) => kind switch
    {
        AddressKind.Loopback => "this machine",
        AddressKind.Private => "a private address",
        AddressKind.Shared => "a shared address of a provider",
        AddressKind.LinkLocal => "a link-local address",
        AddressKind.Multicast => "a multicast address",
        AddressKind.Metadata => "a metadata address of the cloud",
        _ => "a reserved address",
    };
}
