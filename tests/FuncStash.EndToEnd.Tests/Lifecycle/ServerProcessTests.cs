using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace FuncStash.EndToEnd.Tests.Lifecycle;

/// <summary>How the server starts, speaks and ends as a program (protocol#development-server).</summary>
public sealed partial class ServerProcessTests(SqliteHost hosts)
{
    [Fact]
    public async Task It_prints_what_a_client_needs()
    {
        var host = await hosts.SharedAsync();

        Assert.Contains("QSTASH_URL=" + host.Url.GetLeftPart(UriPartial.Authority), host.Output, StringComparison.Ordinal);
        Assert.Contains("QSTASH_TOKEN=" + Credentials.Development.Token, host.Output, StringComparison.Ordinal);
        Assert.Contains("QSTASH_CURRENT_SIGNING_KEY=" + Credentials.Development.CurrentSigningKey, host.Output, StringComparison.Ordinal);
        Assert.Contains("QSTASH_NEXT_SIGNING_KEY=" + Credentials.Development.NextSigningKey, host.Output, StringComparison.Ordinal);
        Assert.Single(host.Output.Split('\n'), line => Ready().IsMatch(line));
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("-port")]
    public async Task It_takes_the_command_line_that_the_SDK_starts_its_own_server_with(string port)
    {
        await using var server = Start("dev", port, "0", "--data", ":memory:");

        await server.WaitForLineAsync(line => Ready().IsMatch(line), TimeSpan.FromSeconds(30));
        Assert.Equal(0, await server.TerminateAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_busy_port_is_named_in_the_words_the_SDK_looks_for()
    {
        var port = (await hosts.SharedAsync()).Url.Port.ToString(CultureInfo.InvariantCulture);
        await using var second = Start("--port", port, "--data", ":memory:");

        Assert.NotEqual(0, await second.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("address already in use", second.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Matches($@":{port}\s*$", second.Output);
    }

    [Fact]
    public async Task Pages_of_the_console_may_use_it_in_the_browser_as_long_as_it_has_the_public_credentials()
    {
        const string Console = "https://console.upstash.com";
        var host = await hosts.SharedAsync();
        Assert.Equal((Console, "authorization,content-type", HttpStatusCode.NoContent), await PreflightAsync(host, Console));
        Assert.Null((await PreflightAsync(host, "https://elsewhere.example")).Origin);
        var answer = await new WireClient(host).SendAsync(HttpMethod.Get, "/v2/queues", headers: [("Origin", Console)]);
        Assert.Equal([Console], answer.Headers.GetValues("Access-Control-Allow-Origin"));

        var data = await hosts.NewDataAsync();
        await using var own = await hosts.StartAsync(data, credentials: new Credentials("own", "sig_an_own_current_key_0123456789", "sig_an_own_next_key_012345678901"));
        Assert.Null((await PreflightAsync(own, Console)).Origin);
        Assert.Equal(0, await own.StopAsync());
        await data.DisposeAsync();
    }

    private static async Task<(string? Origin, string? Headers, HttpStatusCode Status)> PreflightAsync(RunningHost host, string origin)
    {
        var answer = await new WireClient(host).SendAsync(
            HttpMethod.Options, "/v2/publish/http://127.0.0.1/", token: "",
            headers: [("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type")]);
        return (Header("Access-Control-Allow-Origin"), Header("Access-Control-Allow-Headers"), answer.Status);

        string? Header(string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_gets_a_clear_error()
    {
        var data = await hosts.NewDataAsync();
        await using var first = await hosts.StartAsync(data);
        await using var second = Start(["--port", "0", .. data.Arguments]);

        Assert.NotEqual(0, await second.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("in use", second.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("   at ", second.Output, StringComparison.Ordinal);
        Assert.Equal(0, await first.StopAsync());
        await data.DisposeAsync();
    }

    [Theory]
    [InlineData("--port", "none")]
    [InlineData("--storage", "paper")]
    [InlineData("--colour", "red")]
    public async Task A_wrong_option_is_named(string option, string value)
    {
        await using var server = Start(option, value);

        Assert.NotEqual(0, await server.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains(option, server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_prints_no_credential_that_is_a_secret()
    {
        var secret = new Credentials("c2VjcmV0LXRva2Vu", "sig_secret_current_key_0123456789", "sig_secret_next_key_0123456789ab");
        var data = await hosts.NewDataAsync();
        await using var own = await hosts.StartAsync(data, credentials: secret);

        Assert.DoesNotContain(secret.Token, own.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret.CurrentSigningKey, own.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(secret.NextSigningKey, own.Output, StringComparison.Ordinal);
        Assert.Contains("QSTASH_TOKEN is the one you set", own.Output, StringComparison.Ordinal);
        Assert.Equal(0, await own.StopAsync());
        await data.DisposeAsync();
    }

    [Theory]
    [InlineData("QSTASH_CURRENT_SIGNING_KEY")]
    [InlineData("QSTASH_NEXT_SIGNING_KEY")]
    public async Task A_signing_key_that_could_sign_nothing_is_named(string name)
    {
        await using var server = ChildProcess.Start(
            "dotnet", [Repository.ServerDll, "--port", "0", "--data", ":memory:"],
            new Dictionary<string, string?> { [name] = "sig_of_31_characters_1234567890" });

        Assert.NotEqual(0, await server.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains($"{name}: a signing key has at least 32 bytes, this one 31", server.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", server.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("> /dev/full")]
    [InlineData("> /dev/full 2>&1")]
    [InlineData(">&-")]
    [InlineData(">&- 2>&-")]
    public async Task It_works_where_nothing_can_be_written_to_its_output(string output)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's");
        await using var receiver = await Receiver.StartAsync();
        var port = Ports.Free();
        await using var host = new RunningHost(
            ChildProcess.Start("/bin/sh", ["-c", $"exec dotnet '{Repository.ServerDll}' --port {port} --data :memory: {output}"]),
            new Uri($"http://127.0.0.1:{port}"), Credentials.Development);
        var wire = new WireClient(host);

        await Eventually.GetAsync(() => ReadyAsync(wire), status => status == HttpStatusCode.OK, timeout: TimeSpan.FromSeconds(60));
        await wire.PublishAsync(receiver.Url("/hook"));
        await receiver.OneAsync("/hook");

        Assert.Equal(0, await host.StopAsync());
    }

    private static async Task<HttpStatusCode> ReadyAsync(WireClient wire)
    {
        try
        {
            return (await wire.GetAsync("/ready")).Status;
        }
        catch (HttpRequestException)
        {
            return default;
        }
    }

    private static ChildProcess Start(params string[] arguments) =>
        ChildProcess.Start("dotnet", [Repository.ServerDll, .. arguments]);

    [GeneratedRegex(@"runn+ing( at|\.)", RegexOptions.IgnoreCase)]
    private static partial Regex Ready();
}
