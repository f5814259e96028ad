using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace FuncStash.Destinations;

/// <summary>Whose an address is, as far as a delivery may matter to its owner.</summary>
public enum AddressKind
{
    Public,

    /// <summary>This machine: 127.0.0.0/8, ::1, and the unspecified addresses, which reach it too.</summary>
    Loopback,

    /// <summary>RFC 1918 and RFC 4193, and what local gateways translate.</summary>
    Private,

    /// <summary>RFC 6598: between a provider and its customers.</summary>
    Shared,

    /// <summary>RFC 3927 and RFC 4291.</summary>
    LinkLocal,

    Multicast,

    /// <summary>Where a cloud tells a machine its own secrets.</summary>
    Metadata,

    /// <summary>For documentation, benchmarks and the future: the other entries of the IANA special-purpose registries.</summary>
    Reserved,
}

/// <summary>Tells the kind of an address.</summary>
public static class AddressKinds
{
    private static readonly (IPNetwork Network, AddressKind Kind)[] s_known =
    [
        // The first that fits counts, so single addresses stand before their networks.
        Of("169.254.169.254/32", AddressKind.Metadata), // Azure, AWS, Google
        Of("168.63.129.16/32", AddressKind.Metadata), // Azure's host
        Of("169.254.170.2/32", AddressKind.Metadata), // AWS containers
        Of("100.100.100.200/32", AddressKind.Metadata), // Alibaba
        Of("fd00:ec2::254/128", AddressKind.Metadata), // AWS
        Of("fd20:ce::254/128", AddressKind.Metadata), // Google
        Of("0.0.0.0/8", AddressKind.Loopback),
        Of("10.0.0.0/8", AddressKind.Private),
        Of("100.64.0.0/10", AddressKind.Shared),
        Of("127.0.0.0/8", AddressKind.Loopback),
        Of("169.254.0.0/16", AddressKind.LinkLocal),
        Of("172.16.0.0/12", AddressKind.Private),
        Of("192.0.0.0/24", AddressKind.Reserved),
        Of("192.0.2.0/24", AddressKind.Reserved),
        Of("192.88.99.0/24", AddressKind.Reserved),
        Of("192.168.0.0/16", AddressKind.Private),
        Of("198.18.0.0/15", AddressKind.Reserved),
        Of("198.51.100.0/24", AddressKind.Reserved),
        Of("203.0.113.0/24", AddressKind.Reserved),
        Of("224.0.0.0/4", AddressKind.Multicast),
        Of("240.0.0.0/4", AddressKind.Reserved),
        Of("0.0.0.0/0", AddressKind.Public),
        Of("::/127", AddressKind.Loopback),
        Of("64:ff9b:1::/48", AddressKind.Private), // NAT64 of a local network, RFC 8215
        Of("2001::/23", AddressKind.Reserved), // Teredo and other protocols
        Of("2001:db8::/32", AddressKind.Reserved),
        Of("3fff::/20", AddressKind.Reserved),
        Of("2000::/3", AddressKind.Public),
        Of("fc00::/7", AddressKind.Private),
        Of("fe80::/10", AddressKind.LinkLocal),
        Of("fec0::/10", AddressKind.Private),
        Of("ff00::/8", AddressKind.Multicast),
        Of("::/0", AddressKind.Reserved),
    ];

    // IPv6 networks whose addresses hold the IPv4 address that is really reached, and at which byte.
    private static readonly (IPNetwork Network, int Offset)[] s_translated =
    [
        (IPNetwork.Parse("::ffff:0:0/96"), 12), // mapped, RFC 4291
        (IPNetwork.Parse("::ffff:0:0:0/96"), 12), // translated, RFC 7915
        (IPNetwork.Parse("64:ff9b::/96"), 12), // NAT64, RFC 6052
        (IPNetwork.Parse("2002::/16"), 2), // 6to4, RFC 3056
        (IPNetwork.Parse("::/96"), 12), // compatible, RFC 4291
    ];

    public static AddressKind Of(IPAddress address)
    {
        address = Reached(address);
        foreach (var (network, kind) in s_known)
        {
            if (network.Contains(address))
                return kind;
        }
        return AddressKind.Reserved;
    }

    /// <summary>The address that is reached: the IPv4 address inside of an IPv6 form of one, else the address itself.</summary>
    public static IPAddress Reached(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        address = new IPAddress(bytes); // without a scope, which networks do not compare
        // ::1 and :: look like compatible addresses and are none.
        if (BinaryPrimitives.ReadUInt128BigEndian(bytes) <= 1)
            return address;
        foreach (var (network, offset) in s_translated)
        {
            if (network.Contains(address))
                return new IPAddress(bytes.AsSpan(offset, 4));
        }
        return address;
    }

    private static (IPNetwork, AddressKind) Of(string network, AddressKind kind) => (IPNetwork.Parse(network), kind);
}
