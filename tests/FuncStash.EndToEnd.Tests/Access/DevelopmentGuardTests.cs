using System.Net;

namespace FuncStash.EndToEnd.Tests.Access;

/// <summary>No web page gets to use credentials that everybody knows (protocol#development-server).</summary>
public abstract class DevelopmentGuardTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    public static TheoryData<string, string> Foreign => new()
    {
        { "Origin", "https://evil.example" },
        { "Origin", "http://localhost:3000" },
        { "Origin", "null" },
        { "Sec-Fetch-Site", "cross-site" },
        { "Sec-Fetch-Site", "same-site" },
        { "Host", "evil.example" },
        { "Host", "127.0.0.1.nip.io:8080" },
        { "Host", "laptop.local:8080" },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task A_page_from_elsewhere_is_refused_in_words_and_publishes_nothing(string name, string value)
    {
        var token = Uri.EscapeDataString(Host.Credentials.Token);

        var answer = await Wire.SendAsync(
            HttpMethod.Post, $"/v2/publish/{Receiver.Url("/hook")}?qstash_token={token}", [], [(name, value)], token: "");
        await Wire.StatesUntilAsync(await Wire.PublishAsync(Receiver.Url("/next")), "DELIVERED");

        Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        Assert.StartsWith("forbidden: this server has the public development credentials, so ", answer.Error, StringComparison.Ordinal);
        Assert.Empty(Receiver.Requests("/hook"));
    }

    [Theory]
    [InlineData("Origin", "https://console.upstash.com")]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Host", "app.localhost:8080")]
    [InlineData("Host", "host.docker.internal:8080")]
    [InlineData("Host", "funcstash:8080")]
    [InlineData("Host", "app.test:8080")]
    [InlineData("Host", "192.168.1.10")]
    public async Task Local_names_and_the_console_are_let_in(string name, string value)
    {
        var answer = await Wire.SendAsync(HttpMethod.Post, $"/v2/publish/{Receiver.Url("/hook")}", [], [(name, value)]);

        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        await Receiver.OneAsync("/hook");
    }
}

public sealed class DevelopmentGuardOnSqlite(SqliteHost hosts, NodeSdk sdk) : DevelopmentGuardTests(hosts, sdk);

public sealed class DevelopmentGuardOnFunctions(FunctionsHost hosts, NodeSdk sdk) : DevelopmentGuardTests(hosts, sdk);
