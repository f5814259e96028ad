using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Delivery;

/// <summary>Signatures, judged by the SDK's own Receiver (protocol#signature).</summary>
public abstract class SignatureTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Theory]
    [InlineData("""{"n":1}""")]
    [InlineData("")]
    [InlineData("héllo ✓")]
    public async Task The_Receiver_accepts_a_delivery(string body)
    {
        await Wire.PublishAsync(Receiver.Url("/hook?x=1&y=%20"), body);
        var request = await Receiver.OneAsync("/hook");

        Assert.True(await Sdk.VerifyAsync(Host.Credentials, request.Signature, request.Text, Receiver.Url("/hook?x=1&y=%20")));
    }

    [Fact]
    public async Task The_Receiver_refuses_a_tampered_body_another_URL_and_other_keys()
    {
        await Wire.PublishAsync(Receiver.Url("/hook"), "pay 10");
        var request = await Receiver.OneAsync("/hook");
        var others = Host.Credentials with { CurrentSigningKey = "sig_other", NextSigningKey = "sig_another" };

        await AssertRefusedAsync(Host.Credentials, request.Signature, "pay 99", Receiver.Url("/hook"));
        await AssertRefusedAsync(Host.Credentials, request.Signature, "pay 10", Receiver.Url("/other"));
        await AssertRefusedAsync(others, request.Signature, "pay 10", Receiver.Url("/hook"));
    }

    [Fact]
    public async Task The_claims_are_those_of_the_contract()
    {
        var before = Now() / 1000;
        await Wire.PublishAsync(Receiver.Url("/hook?x=1"), "body");
        var request = await Receiver.OneAsync("/hook");

        var parts = request.Signature.Split('.');
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!;
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;

        Assert.Equal("HS256", (string?)header["alg"]);
        Assert.Equal("JWT", (string?)header["typ"]);
        Assert.Equal("Upstash", (string?)claims["iss"]);
        Assert.Equal(Receiver.Url("/hook?x=1"), (string?)claims["sub"]);
        Assert.InRange((long)claims["iat"]!, before - 1, (Now() / 1000) + 1);
        Assert.Equal(300, (long)claims["exp"]! - (long)claims["iat"]!);
        Assert.InRange((long)claims["nbf"]!, 0, (long)claims["iat"]!);
        Assert.StartsWith("jwt_", (string?)claims["jti"], StringComparison.Ordinal);
        Assert.Equal(
            Base64Url.EncodeToString(SHA256.HashData("body"u8)), ((string)claims["body"]!).TrimEnd('='));
    }

    [Fact]
    public async Task Every_attempt_is_signed_afresh()
    {
        Receiver.Answers("/hook", Answer.Of(500), Answer.Ok);
        await Wire.PublishAsync(Receiver.Url("/hook"), "x", ("Upstash-Retry-Delay", "10"));
        var attempts = await Receiver.WaitForAsync("/hook", 2);

        Assert.NotEqual(attempts[0].Signature, attempts[1].Signature);
        Assert.True(await Sdk.VerifyAsync(Host.Credentials, attempts[1].Signature, "x", Receiver.Url("/hook")));
    }

    [Fact]
    public async Task A_Receiver_whose_next_key_the_server_already_uses_accepts()
    {
        var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data, credentials: Credentials.Development.WithSwappedKeys());
        await new WireClient(host).PublishAsync(Receiver.Url("/hook"), "after a rotation");
        var request = await Receiver.OneAsync("/hook");

        Assert.True(await Sdk.VerifyAsync(
            Credentials.Development, request.Signature, request.Text, Receiver.Url("/hook")));
        var onlyOld = Credentials.Development with { NextSigningKey = Credentials.Development.CurrentSigningKey };
        await AssertRefusedAsync(onlyOld, request.Signature, request.Text, Receiver.Url("/hook"));
        await host.StopAsync();
        await data.DisposeAsync();
    }

    private async Task AssertRefusedAsync(Credentials keys, string signature, string body, string url)
    {
        var error = await Assert.ThrowsAsync<SdkException>(() => Sdk.VerifyAsync(keys, signature, body, url));
        Assert.Equal("SignatureError", error.Name);
    }
}

public sealed class SignaturesOnSqlite(SqliteHost hosts, NodeSdk sdk) : SignatureTests(hosts, sdk);

public sealed class SignaturesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : SignatureTests(hosts, sdk);
