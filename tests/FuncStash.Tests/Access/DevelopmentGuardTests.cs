using FuncStash.Access;
using FuncStash.Settings;

namespace FuncStash.Tests.Access;

/// <summary>Web pages get no use out of credentials that everybody knows (protocol#development-server).</summary>
public sealed class DevelopmentGuardTests
{
    public static TheoryData<string, string, string?> Foreign => new()
    {
        { "Origin", "https://evil.example", null },
        { "Origin", "http://localhost:3000", null },
        { "Origin", "http://localhost", null },
        { "Origin", "null", null },
        { "Origin", "https://console.upstash.com.evil.example", null },
        { "Origin", "http://console.upstash.com", null },
        { "Origin", "https://evil.example", "none" },
        { "Origin", "null", "cross-site" },
        { "Origin", "null", null },
        { "Sec-Fetch-Mode", "navigate", "cross-site" },
        { "Sec-Fetch-Site", "cross-site", null },
        { "Sec-Fetch-Site", "same-site", null },
        { "Host", "evil.example", null },
        { "Host", "evil.example:8080", null },
        { "Host", "evil.example.", null },
        { "Host", "localhost.evil.example", null },
        { "Host", "127.0.0.1.nip.io", null },
        { "Host", "notlocalhost.com", null },
        { "Host", "abc.ngrok-free.app", null },
        { "Host", "evilinternal.com", null },
        { "Host", "app.latest", null },
        { "Host", "test.evil.example", null },
        // Anybody in the same network answers for such a name.
        { "Host", "laptop.local:8080", null },
        { "Host", "evil.local.", null },
    };

    public static TheoryData<string, string, string?> Own => new()
    {
        { "Origin", "https://console.upstash.com", "cross-site" },
        { "Origin", "http://localhost:8080", "same-origin" },
        { "Origin", "null", "same-origin" },
        { "Origin", "http://LOCALHOST:8080", null },
        { "Sec-Fetch-Site", "none", null },
        { "Sec-Fetch-Site", "same-origin", null },
        { "Sec-Fetch-Mode", "cors", null },
        { "Host", "localhost", null },
        { "Host", "LocalHost:8080", null },
        { "Host", "localhost.:8080", null },
        { "Host", "app.localhost:8080", null },
        { "Host", "127.0.0.1:8080", null },
        { "Host", "127.1.2.3", null },
        { "Host", "[::1]:8080", null },
        { "Host", "[fd12::1]", null },
        { "Host", "192.168.1.10:8080", null },
        { "Host", "host.docker.internal:8080", null },
        { "Host", "funcstash:8080", null },
        { "Host", "app.test", null },
        { "Host", "Queue.App.TEST.:8080", null },
        { "Host", "funcstash.corp.internal", null },
        { "Host", "", null },
    };

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task A_page_that_is_not_the_servers_own_is_refused_in_words(string name, string value, string? site)
    {
        await using var service = new TestService();
        foreach (var (method, target) in new[] { ("POST", "/v2/publish/https://api.example.com"), ("GET", "/v2/keys"), ("GET", "/health"), ("GET", "/no") })
        {
            var answer = await CallAsync(service, method, target, name, value, site);

            Assert.True(answer.Status == 403, answer.Text);
            Assert.StartsWith("forbidden: this server has the public development credentials, so ", answer.Error, StringComparison.Ordinal);
            Assert.Contains("QSTASH_TOKEN", answer.Error, StringComparison.Ordinal);
        }
        Assert.Equal("[]", (await service.CallAsync("GET", "/v2/events")).Json["events"]!.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(Own))]
    public async Task Programs_and_the_servers_own_pages_are_let_in(string name, string value, string? site)
    {
        await using var service = new TestService();

        var answer = await CallAsync(service, "POST", "/v2/publish/https://api.example.com", name, value, site);

        Assert.True(answer.Status == 200, answer.Text);
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public async Task With_credentials_of_its_own_a_server_is_open_to_whoever_has_them(string name, string value, string? site)
    {
        await using var service = new TestService(new FuncStashOptions
        {
            Tokens = ["own"], CurrentSigningKey = new string('a', 32), NextSigningKey = new string('b', 32),
        });

        var answer = await CallAsync(service, "POST", "/v2/publish/https://api.example.com", name, value, site);

        Assert.True(answer.Status == 200, answer.Text);
    }

    [Fact]
    public void Two_origins_are_none_of_ours() =>
        Assert.NotNull(new DevelopmentGuard(new FuncStashOptions()).RefusalOf(new Microsoft.AspNetCore.Http.DefaultHttpContext
        {
            Request = { Headers = { Origin = new(["https://console.upstash.com", "https://evil.example"]) } },
        }.Request));

    private static Task<TestAnswer> CallAsync(TestService service, string method, string target, string name, string value, string? site)
    {
        List<(string, string)> headers = [(name, value)];
        if (name != "Host")
            headers.Add(("Host", "localhost:8080"));
        if (site is not null)
            headers.Add(("Sec-Fetch-Site", site));
        return service.CallAsync(method, target, "", null, [.. headers]);
    }
}
