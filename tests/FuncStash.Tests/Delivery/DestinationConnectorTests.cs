using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Tests.Delivery;

public sealed class DestinationConnectorTests
{
    private static readonly FuncStashOptions s_cloud = new() { AllowPrivateNetworks = false };
    private int _lookups;

    [Fact]
    public async Task A_name_is_connected_to_at_its_allowed_addresses_only()
    {
        var connector = Connector(s_cloud, "10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111");

        var addresses = await connector.AllowedAsync("example.com", default);

        Assert.Equal(["8.8.8.8", "2606:4700::1111"], addresses.Select(a => a.ToString()));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("127.0.0.1", "192.168.0.1")]
    public async Task A_name_without_an_allowed_address_is_refused(params string[] addresses)
    {
        var refused = await Assert.ThrowsAsync<AddressRefusedException>(
            () => Connector(s_cloud, addresses).AllowedAsync("internal.example.com", default));

        Assert.Contains("internal.example.com resolves to", refused.Message, StringComparison.Ordinal);
        Assert.Contains("must be publicly accessible", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_literal_address_is_checked_and_not_looked_up()
    {
        await Assert.ThrowsAsync<AddressRefusedException>(() => Connector(s_cloud).AllowedAsync("127.0.0.1", default));
        await Assert.ThrowsAsync<AddressRefusedException>(() => Connector(s_cloud).AllowedAsync("[::1]", default));
        Assert.Equal(0, _lookups);
    }

    [Fact]
    public async Task A_name_that_changes_between_check_and_connection_gains_nothing()
    {
        var answers = new Queue<string>(["8.8.8.8", "127.0.0.1"]);
        var connected = new List<string>();
        var connector = new DestinationConnector(
            new AddressPolicy(s_cloud), TimeProvider.System,
            (_, _) =>
            {
                _lookups++;
                return Task.FromResult<IPAddress[]>([IPAddress.Parse(answers.Dequeue())]);
            },
            (address, _) =>
            {
                connected.Add(address.ToString());
                return Task.FromResult<Stream>(new MemoryStream());
            });

        await connector.ConnectAsync(new DnsEndPoint("rebind.example.com", 80), default);
        Assert.Equal(1, _lookups);
        await Assert.ThrowsAsync<AddressRefusedException>(
            () => connector.ConnectAsync(new DnsEndPoint("rebind.example.com", 80), default).AsTask());
        Assert.Equal(["8.8.8.8:80"], connected);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task An_allowed_address_is_connected_to(string address)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var lookups = new HostLookups(SystemResolver.LookUpAsync, 8);
        var connector = new DestinationConnector(
            new AddressPolicy(new() { AllowPrivateNetworks = true }), TimeProvider.System, new OpenConnections(8), lookups);

        await using var stream = await connector.ConnectAsync(
            new DnsEndPoint(address, ((IPEndPoint)listener.LocalEndpoint).Port), default);

        using var accepted = await listener.AcceptTcpClientAsync();
        Assert.True(accepted.Connected);
    }

    [Fact]
    public async Task A_delivery_to_a_closed_address_fails_with_the_reason_and_connects_nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var service = new TestService(s_cloud);
        // As if it had been accepted before the policy was tightened.
        var message = service.NewMessage($"http://{listener.LocalEndpoint}/") with { MaxRetries = 0 };
        await service.Get<MessageStore>().CreateAsync([new(message)]);

        await service.DeliverDueAsync();

        var entry = (await service.CallAsync("GET", "/v2/dlq")).Json["messages"]![0]!;
        Assert.Equal(0, (int)entry["responseStatus"]!);
        Assert.Equal("127.0.0.1 is this machine, a destination must be publicly accessible", (string?)entry["error"]);
        Assert.False(listener.Pending());
    }

    [Theory]
    [InlineData("POST", "/v2/publish/http://127.0.0.1:1234/x", "")]
    [InlineData("POST", "/v2/publish/http://localhost/x", "")]
    [InlineData("POST", "/v2/publish/http://[::ffff:a9fe:a9fe]/x", "")]
    [InlineData("POST", "/v2/topics/group/endpoints", """{"endpoints":[{"url":"http://10.0.0.1/"}]}""")]
    public async Task A_closed_address_in_a_call_is_refused_at_once(string method, string target, string body)
    {
        await using var service = new TestService(s_cloud);

        var answer = await service.CallAsync(method, target, body);

        Assert.Equal(400, answer.Status);
        Assert.Contains("must be publicly accessible", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Upstash-Callback")]
    [InlineData("Upstash-Failure-Callback")]
    public async Task A_callback_to_a_closed_address_is_refused_at_once(string header)
    {
        await using var service = new TestService(s_cloud);

        var answer = await service.CallAsync("POST", "/v2/publish/https://example.com/", "", null, (header, "http://192.168.0.1/"));

        Assert.Equal(400, answer.Status);
        Assert.Contains("invalid " + header, answer.Error, StringComparison.Ordinal);
    }

    private DestinationConnector Connector(FuncStashOptions options, params string[] addresses) => new(
        new AddressPolicy(options), TimeProvider.System,
        (_, _) =>
        {
            _lookups++;
            return Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse));
        },
        (_, _) => throw new NotSupportedException());
}
