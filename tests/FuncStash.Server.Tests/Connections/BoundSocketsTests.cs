using System.Net;
using System.Net.Sockets;
using FuncStash.Server.Connections;

namespace FuncStash.Server.Tests.Connections;

/// <summary>What connects to <c>localhost</c> may try 127.0.0.1 or ::1 first, so the server is at both.</summary>
public sealed class BoundSocketsTests
{
    private static readonly IPAddress[] s_localhost = [IPAddress.Loopback, IPAddress.IPv6Loopback];

    [Theory]
    [InlineData]
    [InlineData("--host", "localhost")]
    public void The_default_is_both_addresses_of_this_machine(params string[] arguments)
    {
        var parsed = ServerArguments.Parse(arguments, _ => null);

        Assert.Equal(s_localhost, parsed.Hosts);
        Assert.True(parsed.IsLocal);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    public void An_address_is_that_one_alone(string host, bool isLocal)
    {
        var parsed = ServerArguments.Parse(["--host", host], _ => null);

        Assert.Equal([IPAddress.Parse(host)], parsed.Hosts);
        Assert.Equal(isLocal, parsed.IsLocal);
    }

    [Fact]
    public void A_port_that_the_system_chooses_is_the_same_at_both()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "there is no IPv6 here");
        for (var i = 0; i < 20; i++)
        {
            var bound = BoundSockets.Bind(s_localhost, 0);
            var endPoints = bound.EndPoints.ToList();
            foreach (var endPoint in endPoints)
                bound.Take(endPoint).Dispose();

            Assert.Equal(s_localhost, endPoints.Select(endPoint => endPoint.Address));
            Assert.Equal(endPoints[0].Port, endPoints[1].Port);
            Assert.NotEqual(0, endPoints[0].Port);
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_port_that_is_taken_at_either_is_taken(string address)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "there is no IPv6 here");
        using var other = new TcpListener(IPAddress.Parse(address), 0);
        other.Start();

        var error = Assert.Throws<SocketException>(() => BoundSockets.Bind(s_localhost, ((IPEndPoint)other.LocalEndpoint).Port));

        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
    }

    [Fact]
    public void A_machine_without_the_second_address_does_with_the_first()
    {
        // An address for documentation, which no machine has.
        var bound = BoundSockets.Bind([IPAddress.Loopback, IPAddress.Parse("2001:db8::1")], 0);

        var endPoint = Assert.Single(bound.EndPoints);
        bound.Take(endPoint).Dispose();
        Assert.Equal(IPAddress.Loopback, endPoint.Address);
        Assert.Throws<SocketException>(() => BoundSockets.Bind([IPAddress.Parse("2001:db8::1")], 0));
    }
}
