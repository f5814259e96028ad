using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>Where the server listens: <c>http://localhost:8080</c> is 127.0.0.1 and ::1, and clients try either first.</summary>
public sealed partial class ListeningTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData]
    [InlineData("--host", "localhost")]
    public async Task It_answers_at_both_addresses_of_localhost(params string[] host)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "there is no IPv6 here");
        await using var server = Start(["--port", "0", .. host]);
        var port = Port().Match(await server.WaitForLineAsync(line => Port().IsMatch(line), s_patience)).Groups[1].Value;

        foreach (var address in new[] { "127.0.0.1", "[::1]", "localhost" })
        {
            var answer = await RawHttp.SendAsync(
                new Uri($"http://{address}:{port}"), $"GET /health HTTP/1.1\r\nHost: {address}:{port}\r\nConnection: close\r\n\r\n");
            Assert.Equal(200, answer.Status);
            Assert.StartsWith("""{"status":"healthy",""", answer.Body, StringComparison.Ordinal);
        }
        Assert.Equal(0, await server.TerminateAsync(s_patience));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task An_address_is_that_one_alone(string host)
    {
        await using var server = Start("--port", "0", "--host", host);
        var port = Port().Match(await server.WaitForLineAsync(line => Port().IsMatch(line), s_patience)).Groups[1].Value;
        var other = host == "::1" ? IPAddress.Loopback : IPAddress.IPv6Loopback;

        using var client = new TcpClient(other.AddressFamily);
        await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(other, int.Parse(port, CultureInfo.InvariantCulture)));
        Assert.Equal(0, await server.TerminateAsync(s_patience));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_port_that_is_taken_at_either_is_in_use(string address)
    {
        using var other = new TcpListener(IPAddress.Parse(address), 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var server = Start("--port", port.ToString(CultureInfo.InvariantCulture));

        Assert.NotEqual(0, await server.ExitAsync(s_patience));
        Assert.Matches($@"address already in use.*:{port}\s*$", server.Output);
        Assert.DoesNotContain("   at ", server.Output, StringComparison.Ordinal);
    }

    private static ChildProcess Start(params string[] arguments) =>
        ChildProcess.Start("dotnet", [Repository.ServerDll, .. arguments, "--data", ":memory:"]);

    [GeneratedRegex(@"QSTASH_URL=http://.*:(\d+)\s*$")]
    private static partial Regex Port();
}
