using System.Net;
using CsCheck;
using FuncStash.Destinations;

namespace FuncStash.Tests.Delivery;

public sealed class AddressKindTests
{
    [Theory]
    // Both ends of each network, and the neighbours outside of it.
    [InlineData("0.0.0.0", AddressKind.Loopback)]
    [InlineData("0.255.255.255", AddressKind.Loopback)]
    [InlineData("1.0.0.0", AddressKind.Public)]
    [InlineData("9.255.255.255", AddressKind.Public)]
    [InlineData("10.0.0.0", AddressKind.Private)]
    [InlineData("10.255.255.255", AddressKind.Private)]
    [InlineData("11.0.0.0", AddressKind.Public)]
    [InlineData("100.63.255.255", AddressKind.Public)]
    [InlineData("100.64.0.0", AddressKind.Shared)]
    [InlineData("100.100.100.200", AddressKind.Metadata)]
    [InlineData("100.127.255.255", AddressKind.Shared)]
    [InlineData("100.128.0.0", AddressKind.Public)]
    [InlineData("126.255.255.255", AddressKind.Public)]
    [InlineData("127.0.0.1", AddressKind.Loopback)]
    [InlineData("127.255.255.255", AddressKind.Loopback)]
    [InlineData("128.0.0.0", AddressKind.Public)]
    [InlineData("168.63.129.15", AddressKind.Public)]
    [InlineData("168.63.129.16", AddressKind.Metadata)]
    [InlineData("168.63.129.17", AddressKind.Public)]
    [InlineData("169.253.255.255", AddressKind.Public)]
    [InlineData("169.254.0.0", AddressKind.LinkLocal)]
    [InlineData("169.254.169.254", AddressKind.Metadata)]
    [InlineData("169.254.170.2", AddressKind.Metadata)]
    [InlineData("169.254.255.255", AddressKind.LinkLocal)]
    [InlineData("169.255.0.0", AddressKind.Public)]
    [InlineData("172.15.255.255", AddressKind.Public)]
    [InlineData("172.16.0.0", AddressKind.Private)]
    [InlineData("172.31.255.255", AddressKind.Private)]
    [InlineData("172.32.0.0", AddressKind.Public)]
    [InlineData("192.0.0.8", AddressKind.Reserved)]
    [InlineData("192.0.2.1", AddressKind.Reserved)]
    [InlineData("192.88.99.1", AddressKind.Reserved)]
    [InlineData("192.167.255.255", AddressKind.Public)]
    [InlineData("192.168.0.0", AddressKind.Private)]
    [InlineData("192.168.255.255", AddressKind.Private)]
    [InlineData("192.169.0.0", AddressKind.Public)]
    [InlineData("198.17.255.255", AddressKind.Public)]
    [InlineData("198.18.0.0", AddressKind.Reserved)]
    [InlineData("198.19.255.255", AddressKind.Reserved)]
    [InlineData("198.51.100.7", AddressKind.Reserved)]
    [InlineData("203.0.113.9", AddressKind.Reserved)]
    [InlineData("223.255.255.255", AddressKind.Public)]
    [InlineData("224.0.0.1", AddressKind.Multicast)]
    [InlineData("239.255.255.250", AddressKind.Multicast)]
    [InlineData("240.0.0.0", AddressKind.Reserved)]
    [InlineData("255.255.255.255", AddressKind.Reserved)]
    [InlineData("8.8.8.8", AddressKind.Public)]
    [InlineData("::", AddressKind.Loopback)]
    [InlineData("::1", AddressKind.Loopback)]
    [InlineData("fc00::1", AddressKind.Private)]
    [InlineData("fd12:3456:789a::1", AddressKind.Private)]
    [InlineData("fd00:ec2::254", AddressKind.Metadata)]
    [InlineData("fd00:ec2::253", AddressKind.Private)]
    [InlineData("fd20:ce::254", AddressKind.Metadata)]
    [InlineData("fe80::1", AddressKind.LinkLocal)]
    [InlineData("fe80::1%2", AddressKind.LinkLocal)]
    [InlineData("febf:ffff::1", AddressKind.LinkLocal)]
    [InlineData("fec0::1", AddressKind.Private)]
    [InlineData("ff02::1", AddressKind.Multicast)]
    [InlineData("2001:db8::1", AddressKind.Reserved)]
    [InlineData("2001:0:4136:e378:8000:63bf:3fff:fdd2", AddressKind.Reserved)]
    [InlineData("3fff::1", AddressKind.Reserved)]
    [InlineData("100::1", AddressKind.Reserved)]
    [InlineData("64:ff9b:1::a00:1", AddressKind.Private)]
    [InlineData("2001:4860:4860::8888", AddressKind.Public)]
    [InlineData("2606:4700::1111", AddressKind.Public)]
    [InlineData("4000::1", AddressKind.Reserved)]
    public void An_address_has_the_kind_of_its_network(string address, AddressKind kind) =>
        Assert.Equal(kind, AddressKinds.Of(IPAddress.Parse(address)));

    private static readonly Gen<IPAddress> s_v4 = Gen.Byte.Array[4].Select(bytes => new IPAddress(bytes));

    [Fact]
    public void Every_IPv6_form_of_an_IPv4_address_has_its_kind() => s_v4.Sample(address =>
    {
        var kind = AddressKinds.Of(address);
        var v4 = address.GetAddressBytes();
        string[] forms =
        [
            $"::ffff:{address}",
            $"::ffff:0:{address}",
            $"64:ff9b::{address}",
            $"2002:{v4[0]:x2}{v4[1]:x2}:{v4[2]:x2}{v4[3]:x2}::1",
        ];
        Assert.All(forms, form => Assert.Equal(kind, AddressKinds.Of(IPAddress.Parse(form))));
        // :: and ::1 are not compatible forms of 0.0.0.0 and 0.0.0.1; all of them are this machine.
        Assert.Equal(kind, AddressKinds.Of(IPAddress.Parse($"::{address}")));
    });

    [Fact]
    public void No_private_address_is_taken_for_a_public_one() => s_v4.Sample(address =>
    {
        var b = address.GetAddressBytes();
        var closed = b[0] is 0 or 10 or 127 or >= 224
            || (b[0] == 100 && b[1] is >= 64 and < 128)
            || (b[0] == 169 && b[1] == 254)
            || (b[0] == 172 && b[1] is >= 16 and < 32)
            || (b[0] == 192 && b[1] == 168);
        Assert.False(closed && AddressKinds.Of(address) == AddressKind.Public);
    });
}
