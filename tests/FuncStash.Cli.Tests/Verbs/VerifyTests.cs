using System.Text.Json;
using FuncStash.Client.Testing;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests.Verbs;

/// <summary>Which claim of a signature is wrong.</summary>
public sealed class VerifyTests(EmbeddedServer server)
{
    private const string Url = "https://example.com/hook";

    [Fact]
    public async Task A_valid_one_is_called_valid()
    {
        var ran = await VerifyAsync("--body", "hello", "--called", Url);

        Assert.Contains("The signature is valid.", ran.Well, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("body", "--body", "other", "--called", Url)]
    [InlineData("sub", "--body", "hello", "--called", "https://example.com/other")]
    [InlineData("exp", "--body", "hello", "--at", "2099-01-01T00:00Z")]
    [InlineData("key", "--body", "hello", "--current-key", "sig_another_0123456789_0123456789", "--next-key", "sig_another_0123456789_012345678")]
    public async Task What_is_wrong_is_told(string claim, params string[] args)
    {
        var ran = await VerifyAsync(args);

        Assert.Equal(ExitCode.Invalid, ran.Code);
        Assert.Equal(claim, Assert.Single(ran.Lines, line => line.StartsWith("wrong", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
    }

    [Fact]
    public async Task All_that_is_wrong_is_told_not_the_first_alone()
    {
        var now = TimeProvider.System.GetUtcNow();
        var token = new TestSigner(EmbeddedServer.CurrentKey).Token(new() { Issuer = "Someone", Url = Url, NotBefore = now.AddHours(1), ExpiresAt = now.AddHours(2) });

        var ran = await Funcstash.RunAsync(server, "verify", token, "--body", "hello", "--called", Url);

        Assert.Equal(ExitCode.Invalid, ran.Code);
        Assert.Equal(
            ["iss", "nbf", "body"],
            ran.Lines.Where(line => line.StartsWith("wrong", StringComparison.Ordinal)).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
        Assert.Equal(ExitCode.Done, (await Funcstash.RunAsync(
            server, "verify", new TestSigner(EmbeddedServer.CurrentKey).Token(new() { Issuer = "Upstash", Url = Url, ExpiresAt = now.AddHours(-1) }), "--at", "2h")).Code);
    }

    [Fact]
    public async Task What_is_no_signature_is_told_as_json_too()
    {
        var ran = await Funcstash.RunAsync(server, "verify", "nonsense", "--json");

        Assert.Equal(ExitCode.Invalid, ran.Code);
        Assert.Equal("Malformed", JsonDocument.Parse(ran.Out).RootElement.GetProperty("problems")[0].GetProperty("problem").GetString());
    }

    [Fact]
    public async Task The_keys_come_from_the_service_where_nothing_else_has_them()
    {
        var ran = await Funcstash.RunAsync(
            new Dictionary<string, string> { ["QSTASH_URL"] = server.Url.ToString() }, ["verify", "@-", "--body", "hello"], Funcstash.Bytes(Signature() + "\n"));

        Assert.Contains("The signature is valid.", ran.Well, StringComparison.Ordinal);
    }

    private static string Signature() => new TestSigner(EmbeddedServer.CurrentKey).NewRequest(Url, "hello").Headers.GetValues("Upstash-Signature").Single();

    private Task<Ran> VerifyAsync(params string[] args) => Funcstash.RunAsync(server, ["verify", Signature(), .. args]);
}
