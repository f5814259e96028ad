using System.Net;

namespace FuncStash.EndToEnd.Tests.Publishing;

/// <summary>What is malformed is refused with a reason in JSON, and leaves nothing behind (protocol#errors).</summary>
public abstract class RefusalTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    public static TheoryData<string, string, string> BadHeaders => new()
    {
        { "Upstash-Delay", "-1s", "Upstash-Delay" },
        { "Upstash-Delay", "soon", "Upstash-Delay" },
        { "Upstash-Delay", "1x", "Upstash-Delay" },
        { "Upstash-Delay", "99999999999999999999d", "Upstash-Delay" },
        { "Upstash-Delay", "400d", "Upstash-Delay" },
        { "Upstash-Not-Before", "tomorrow", "Upstash-Not-Before" },
        { "Upstash-Not-Before", "-5", "Upstash-Not-Before" },
        { "Upstash-Not-Before", "99999999999999999999", "Upstash-Not-Before" },
        { "Upstash-Not-Before", "99999999999", "Upstash-Not-Before" },
        { "Upstash-Retries", "-1", "Upstash-Retries" },
        { "Upstash-Retries", "abc", "Upstash-Retries" },
        { "Upstash-Retries", "1.5", "Upstash-Retries" },
        { "Upstash-Retries", "2000000000", "Upstash-Retries" },
        { "Upstash-Retries", "99999999999999999999", "Upstash-Retries" },
        { "Upstash-Retry-Delay", "pow(2", "Upstash-Retry-Delay" },
        { "Upstash-Retry-Delay", "1000 *", "Upstash-Retry-Delay" },
        { "Upstash-Retry-Delay", "system(1)", "Upstash-Retry-Delay" },
        { "Upstash-Retry-Delay", "attempts * 2", "Upstash-Retry-Delay" },
        { "Upstash-Timeout", "never", "Upstash-Timeout" },
        { "Upstash-Timeout", "-1s", "Upstash-Timeout" },
        { "Upstash-Method", "BREW", "Upstash-Method" },
        { "Upstash-Method", "GET\tHTTP", "Upstash-Method" },
        { "Upstash-Callback", "ftp://example.com", "Upstash-Callback" },
        { "Upstash-Callback", "nowhere", "Upstash-Callback" },
        { "Upstash-Failure-Callback", "/relative", "Upstash-Failure-Callback" },
        { "Upstash-Redact-Fields", "url", "Upstash-Redact-Fields" },
    };

    public static TheoryData<string> BadDestinations =>
    [
        "", "ftp://example.com/x", "javascript:alert(1)", "//example.com/x", "http://", "https:///path", "http://?x=1",
        "http://user:secret@example.com/x", "http://user@example.com/x", "http://exa mple.com", "http://example.com:99999/",
        "http://example.com:abc/", "http://[::1", "example.com/path",
    ];

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public async Task A_malformed_setting_is_400_and_named(string name, string value, string named)
    {
        var label = Unique("refused");
        var answer = await Wire.TryPublishAsync(Receiver.Url("/hook"), [], (name, value), ("Upstash-Label", label));

        Assert.True(answer.Status == HttpStatusCode.BadRequest, answer.ToString());
        Assert.Contains(named, answer.Error, StringComparison.OrdinalIgnoreCase);
        await AssertNothingLeftAsync(label);
    }

    [Theory]
    [MemberData(nameof(BadDestinations))]
    public async Task A_malformed_destination_is_refused(string destination)
    {
        var label = Unique("refused");
        var answer = await Wire.TryPublishAsync(destination.Replace(" ", "%20", StringComparison.Ordinal), [], ("Upstash-Label", label));

        Assert.InRange((int)answer.Status, 400, 404);
        if (!Hosts.HasFrontEnd || answer.ContentType is not null)
            Assert.NotEmpty(answer.Error);
        Assert.DoesNotContain("secret", answer.Text, StringComparison.Ordinal);
        await AssertNothingLeftAsync(label);
    }

    [Fact]
    public async Task An_unknown_scheme_is_refused_in_the_words_clients_know()
    {
        var answer = await Wire.TryPublishAsync("ftp://example.com/x", []);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(
            "invalid destination url: endpoint has invalid scheme, add http:// or https://", answer.Error);
    }

    [Theory]
    [InlineData("/v2/publish/")]
    [InlineData("/v2/publish")]
    [InlineData("/v2/enqueue/q/")]
    public async Task An_empty_destination_is_refused_in_the_words_clients_know(string target)
    {
        var answer = await Wire.SendAsync(HttpMethod.Post, target, []);

        Assert.Equal((HttpStatusCode.BadRequest, "a non-empty destination must be provided"), (answer.Status, answer.Error));
    }

    [Theory]
    [InlineData("a\u0001b")]
    [InlineData("a\u007fb")]
    public async Task A_header_value_that_cannot_be_forwarded_is_refused(string value)
    {
        var label = Unique("refused");
        var (status, type, body) = await RawHttp.SendAsync(
            Host.Url,
            $"POST /v2/publish/{Receiver.Url("/hook")} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
            $"Authorization: Bearer {Host.Credentials.Token}\r\nUpstash-Label: {label}\r\n" +
            $"Upstash-Forward-X-Odd: {value}\r\nContent-Length: 0\r\n\r\n");

        Assert.True(status == 400 || (Hosts.HasFrontEnd && status == 500), $"{status} {body}");
        if (!Hosts.HasFrontEnd || type is not null)
        {
            Assert.StartsWith("application/json", type, StringComparison.Ordinal);
            Assert.Contains("\"error\"", body, StringComparison.Ordinal);
        }
        await AssertNothingLeftAsync(label);
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/v2")]
    [InlineData("POST", "/v1/publish/https://example.com")]
    [InlineData("GET", "/v2/nothing/here")]
    [InlineData("GET", "/v2/publish/https://example.com")]
    [InlineData("PUT", "/v2/events")]
    [InlineData("POST", "/v2/messages/msg_x")]
    [InlineData("PATCH", "/v2/dlq/1-0")]
    public async Task An_unknown_route_or_method_is_404_or_405_in_JSON(string method, string target)
    {
        var answer = await Wire.SendAsync(new HttpMethod(method), target, method is "GET" ? null : []);

        if (Hosts.HasFrontEnd && answer.ContentType != "application/json")
        {
            // No function has the path; at the root the platform shows its own page.
            Assert.Equal(target == "/" ? HttpStatusCode.OK : HttpStatusCode.NotFound, answer.Status);
            return;
        }
        Assert.Contains((int)answer.Status, new[] { 404, 405 });
        Assert.NotEmpty(answer.Error);
    }

    private async Task AssertNothingLeftAsync(string label)
    {
        // The log is written in order: once the next message is there, an earlier one would be too.
        var next = await Wire.PublishAsync(Receiver.Url("/next"), "", ("Upstash-Label", label));
        await Wire.StatesUntilAsync(next, "DELIVERED");
        var events = await Wire.EventsAsync("label=" + label);
        Assert.All(events, entry => Assert.Equal(next, (string?)entry["messageId"]));
        Assert.NotEmpty(events);
        Assert.Empty(Receiver.Requests("/hook"));
    }
}

public sealed class RefusalsOnSqlite(SqliteHost hosts, NodeSdk sdk) : RefusalTests(hosts, sdk);

public sealed class RefusalsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : RefusalTests(hosts, sdk);
