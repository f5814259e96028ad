using System.Net;
using FuncStash.Destinations;
using FuncStash.Settings;

namespace FuncStash.Tests.Delivery;

public sealed class AddressPolicyTests
{
    private static readonly FuncStashOptions s_cloud = new() { AllowPrivateNetworks = false };

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("168.63.129.16")]
    [InlineData("224.0.0.1")]
    [InlineData("240.0.0.1")]
    [InlineData("::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("64:ff9b::10.1.2.3")]
    [InlineData("2002:0a01:0203::")]
    public void In_the_cloud_nothing_but_public_addresses_is_open(string address)
    {
        var refusal = new AddressPolicy(s_cloud).Refusal(IPAddress.Parse(address));
        Assert.Contains("must be publicly accessible", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("2606:4700::1111")]
    [InlineData("64:ff9b::8.8.8.8")]
    public void Public_addresses_are_always_open(string address)
    {
        Assert.Null(new AddressPolicy(s_cloud).Refusal(IPAddress.Parse(address)));
        Assert.Null(new AddressPolicy(new()).Refusal(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("::1", true)]
    [InlineData("192.168.1.1", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("fd12::1", true)]
    [InlineData("169.254.169.254", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("168.63.129.16", false)]
    [InlineData("169.254.1.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("224.0.0.1", false)]
    public void A_local_server_reaches_its_surroundings_but_no_metadata(string address, bool open) =>
        Assert.Equal(open, new AddressPolicy(new() { AllowPrivateNetworks = true }).Refusal(IPAddress.Parse(address)) is null);

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("::ffff:10.1.2.3", true)]
    [InlineData("10.2.0.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("fd12:3456::1", true)]
    [InlineData("fd12:3457::1", false)]
    [InlineData("169.254.169.254", true)]
    [InlineData("169.254.169.253", false)]
    public void A_named_network_is_open_and_no_other(string address, bool open)
    {
        var options = FuncStashSettings.Read(name =>
            name == "FUNCSTASH_ALLOWED_NETWORKS" ? "10.1.0.0/16, fd12:3456::/32, 169.254.169.254" : null);
        Assert.Equal(open, new AddressPolicy(options).Refusal(IPAddress.Parse(address)) is null);
    }

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://127.0.0.1:8080/x")]
    [InlineData("http://127.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f.0.0.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://[fe80::1%25eth0]/")]
    [InlineData("http://localhost/")]
    [InlineData("http://LOCALHOST:3000/")]
    [InlineData("http://localhost./")]
    [InlineData("http://app.localhost/")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    public void A_URL_that_names_a_closed_address_is_refused(string url) =>
        Assert.NotNull(new AddressPolicy(s_cloud).RefusalOfHost(url, out _));

    [Theory]
    [InlineData("https://example.com/")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("https://localhost.example.com/")]
    [InlineData("https://notlocalhost/")]
    [InlineData("https://10.example.com/")]
    public void Other_URLs_are_judged_when_their_names_are_resolved(string url) =>
        Assert.Null(new AddressPolicy(s_cloud).RefusalOfHost(url, out _));

    [Fact]
    public void Settings_decide_and_are_closed_by_default()
    {
        Assert.False(Read().AllowPrivateNetworks);
        Assert.True(FuncStashSettings.Read(_ => null, allowPrivateNetworks: true).AllowPrivateNetworks);
        Assert.False(FuncStashSettings.Read(Only("FUNCSTASH_ALLOW_PRIVATE_NETWORKS", "false"), true).AllowPrivateNetworks);
        Assert.True(Read("FUNCSTASH_ALLOW_PRIVATE_NETWORKS", "true").AllowPrivateNetworks);
        Assert.Throws<FormatException>(() => Read("FUNCSTASH_ALLOW_PRIVATE_NETWORKS", "perhaps"));
        Assert.Throws<FormatException>(() => Read("FUNCSTASH_ALLOWED_NETWORKS", "10.0.0.0/8,here"));

        static FuncStashOptions Read(string name = "", string value = "") => FuncStashSettings.Read(Only(name, value));

        static Func<string, string?> Only(string name, string value) => asked => asked == name ? value : null;
    }
}
