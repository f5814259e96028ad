using System.Net;
using System.Net.Sockets;

namespace FuncStash.EndToEnd.Tests.Delivery;

/// <summary>Where deliveries may go is the operator's choice (protocol#addresses).</summary>
public abstract class AddressTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task Closed_addresses_are_refused_and_a_named_network_is_open()
    {
        await using var data = WithNetworks(await Hosts.NewDataAsync(), "127.0.0.1");
        await using var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);

        foreach (var url in new[] { "http://10.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://127.0.0.2/", "http://0x7f000002/" })
        {
            var answer = await wire.TryPublishAsync(url, []);
            Assert.Equal(400, (int)answer.Status);
            Assert.Contains("must be publicly accessible", answer.Error, StringComparison.Ordinal);
        }
        await wire.PublishAsync(Receiver.Url("/hook"));
        await Receiver.OneAsync("/hook");
    }

    [Fact]
    public async Task A_name_that_no_delivery_could_reach_is_refused_when_it_is_given()
    {
        await using var data = WithNetworks(await Hosts.NewDataAsync(), "192.0.2.0/24");
        await using var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);

        // Of this machine's own name the resolver knows that it is here.
        if (await AddressesAsync(Dns.GetHostName()) is { Length: > 0 } own && own.All(IPAddress.IsLoopback))
        {
            var answer = await wire.TryPublishAsync($"http://{Dns.GetHostName()}/", []);
            Assert.Equal(400, (int)answer.Status);
            Assert.Contains("FUNCSTASH_ALLOWED_NETWORKS", answer.Error, StringComparison.Ordinal);
        }
        // Where the tests run there may be no public DNS: then nobody can tell.
        var gone = await wire.TryPublishAsync("http://no-such-host.invalid/", []);
        if (await AddressesAsync("a.root-servers.net") is { Length: > 0 })
        {
            Assert.Equal(400, (int)gone.Status);
            Assert.Equal("invalid destination url: unable to resolve host: lookup no-such-host.invalid: no such host", gone.Error);
        }
        else
        {
            Assert.Equal(200, (int)gone.Status);
        }
    }

    private static async Task<IPAddress[]> AddressesAsync(string host)
    {
        try
        {
            return await Task.Run(() => Dns.GetHostAddresses(host));
        }
        catch (SocketException)
        {
            return [];
        }
    }

    [Fact]
    public async Task A_metadata_address_is_refused_by_every_host()
    {
        var answer = await Wire.TryPublishAsync("http://169.254.169.254/latest/meta-data", []);

        Assert.Equal(400, (int)answer.Status);
        Assert.Contains("must be publicly accessible", answer.Error, StringComparison.Ordinal);
    }

    private static WithSettings WithNetworks(DataStore data, string allowed) => new(data, new Dictionary<string, string?>
    {
        ["FUNCSTASH_ALLOW_PRIVATE_NETWORKS"] = "false", ["FUNCSTASH_ALLOWED_NETWORKS"] = allowed, ["FUNCSTASH_CHECK_HOSTS"] = "true",
    });
}

public sealed class AddressesOnSqlite(SqliteHost hosts, NodeSdk sdk) : AddressTests(hosts, sdk);

public sealed class AddressesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : AddressTests(hosts, sdk);
