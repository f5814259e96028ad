using FuncStash.Settings;

namespace FuncStash.Server.Tests;

/// <summary>What the server prints when it starts: output ends up in logs, so no credential that is a secret.</summary>
public sealed class GreetingTests
{
    private const string Url = "http://127.0.0.1:8080";
    private const string CurrentKey = "sig_current_0123456789_0123456789", NextKey = "sig_next_0123456789_0123456789_01";

    [Fact]
    public void Public_credentials_are_printed_ready_for_use()
    {
        var text = Startup.Greeting(Url, new FuncStashOptions());

        // What one opens next stands first.
        Assert.StartsWith($"Console: {Url}/console\n", text, StringComparison.Ordinal);
        Assert.Contains($"\nFuncStash is running at {Url}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\nQSTASH_URL={Url}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\nQSTASH_TOKEN={DevServer.Token}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\nQSTASH_CURRENT_SIGNING_KEY={DevServer.CurrentSigningKey}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\nQSTASH_NEXT_SIGNING_KEY={DevServer.NextSigningKey}\n", text, StringComparison.Ordinal);
        Assert.Contains($"\"Authorization: Bearer {DevServer.Token}\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "--data needs a value")]
    [InlineData(null, "--data needs a value")]
    public void A_folder_without_a_name_is_refused(string? data, string reason)
    {
        var error = Assert.Throws<FormatException>(() => ServerArguments.Parse(data is null ? ["--data"] : ["--data", data], _ => null));

        Assert.Equal(reason, error.Message);
    }

    [Theory]
    [InlineData("x", "")]
    [InlineData("a token that is long enough", "short")]
    public void A_token_that_can_be_guessed_is_not_for_other_machines(string token, string readOnly)
    {
        var options = new FuncStashOptions
        {
            Tokens = [token], ReadOnlyTokens = readOnly.Length > 0 ? [readOnly] : [], CurrentSigningKey = CurrentKey, NextSigningKey = NextKey,
        };

        var error = Assert.Throws<FormatException>(
            () => Startup.CheckCredentials(ServerArguments.Parse(["--host", "0.0.0.0"], _ => null), options));

        Assert.Contains("could be guessed", error.Message, StringComparison.Ordinal);
        Startup.CheckCredentials(ServerArguments.Parse([], _ => null), options);
    }

    [Fact]
    public void Secret_ones_are_not_printed()
    {
        var text = Startup.Greeting(Url, new FuncStashOptions
        {
            Tokens = ["newest-secret", "older-secret"], ReadOnlyTokens = ["lookers-secret"], CurrentSigningKey = CurrentKey, NextSigningKey = NextKey,
        });

        foreach (var secret in new[] { "newest-secret", "older-secret", "lookers-secret", CurrentKey, NextKey, DevServer.Token, DevServer.CurrentSigningKey })
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        foreach (var name in new[] { "QSTASH_TOKEN", "QSTASH_CURRENT_SIGNING_KEY", "QSTASH_NEXT_SIGNING_KEY" })
            Assert.Contains($"\n{name} is the one you set\n", text, StringComparison.Ordinal);
        Assert.Contains("\"Authorization: Bearer $QSTASH_TOKEN\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_is_judged_for_itself()
    {
        var text = Startup.Greeting(Url, new FuncStashOptions { Tokens = ["secret"], NextSigningKey = NextKey });

        Assert.DoesNotContain("secret\n", text, StringComparison.Ordinal);
        Assert.Contains($"QSTASH_CURRENT_SIGNING_KEY={DevServer.CurrentSigningKey}\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain(NextKey, text, StringComparison.Ordinal);
    }
}
