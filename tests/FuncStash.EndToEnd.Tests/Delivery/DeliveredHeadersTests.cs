
namespace FuncStash.EndToEnd.Tests.Delivery;

/// <summary>Exactly what a destination receives (protocol#delivered-headers).</summary>
public abstract class DeliveredHeadersTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private static readonly string[] s_own =
    [
        "content-length", "host", "upstash-caller-ip", "upstash-max-retries", "upstash-message-id", "upstash-region",
        "upstash-retried", "upstash-retries", "upstash-signature", "user-agent",
    ];

    [Fact]
    public async Task A_plain_message_carries_these_headers_and_no_others()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "abc", ("Accept", "text/html"), ("X-Stray", "1"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal(s_own, Names(request));
        Assert.Equal("Upstash-QStash", request.Header("user-agent"));
        Assert.Equal(id, request.MessageId);
        Assert.Equal("0", request.Header("upstash-retried"));
        Assert.Equal(("0", "3"), (request.Header("upstash-retries"), request.Header("upstash-max-retries")));
        Assert.Equal("127.0.0.1", request.Header("upstash-caller-ip"));
        Assert.Contains(request.Header("upstash-region"), new[] { "EU-CENTRAL-1", "US-EAST-1" });
        Assert.Equal("3", request.Header("content-length"));
        Assert.Equal(Receiver.Authority, request.Header("host"));
    }

    [Fact]
    public async Task Forwarded_headers_and_the_content_type_come_on_top()
    {
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "{}", ("Content-Type", "application/json; charset=utf-8"), ("Upstash-Forward-X-A", "1"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal(s_own.Append("content-type").Append("x-a").Order(), Names(request));
        Assert.Equal("application/json; charset=utf-8", request.Header("content-type"));
    }

    [Fact]
    public async Task A_publishers_trace_context_goes_on_unchanged()
    {
        const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", State = "vendor=1";
        await Wire.PublishAsync(Receiver.Url("/hook"), "", ("traceparent", Parent), ("tracestate", State));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal((Parent, State), (request.Header("traceparent"), request.Header("tracestate")));
    }

    [Fact]
    public async Task The_SDK_leaves_no_trace_of_itself()
    {
        await Sdk.CallAsync(Host, "publishJSON", new { url = Receiver.Url("/hook"), body = 1 });

        Assert.Equal(s_own.Append("content-type").Order(), Names(await Receiver.OneAsync("/hook")));
    }

    [Fact]
    public async Task Connection_headers_are_never_forwarded_and_the_servers_own_win()
    {
        // A workflow endpoint that triggers itself forwards every header it received.
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "the whole body", ("Upstash-Forward-Content-Length", "3"),
            ("Upstash-Forward-Host", "evil.example"), ("Upstash-Forward-Connection", "close"),
            ("Upstash-Forward-Transfer-Encoding", "chunked"), ("Upstash-Forward-Keep-Alive", "timeout=1"),
            ("Upstash-Forward-TE", "trailers"), ("Upstash-Forward-Upgrade", "h2c"),
            ("Upstash-Forward-Accept-Encoding", "br"), ("Upstash-Forward-Upstash-Max-Retries", "9"),
            ("Upstash-Forward-Upstash-Signature", "forged"), ("Upstash-Forward-Upstash-Message-Id", "msg_forged"),
            ("Upstash-Forward-Upstash-Retried", "7"), ("Upstash-Forward-Upstash-Caller-Ip", "8.8.8.8"),
            ("Upstash-Forward-Upstash-Region", "MOON"), ("Upstash-Forward-X-Kept", "yes"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("the whole body", request.Text);
        Assert.Equal(s_own.Append("x-kept").Order(), Names(request));
        Assert.Equal("14", request.Header("content-length"));
        Assert.Equal(Receiver.Authority, request.Header("host"));
        Assert.Equal(id, request.MessageId);
        Assert.Equal("0", request.Header("upstash-retried"));
        Assert.Equal("3", request.Header("upstash-max-retries"));
        Assert.Equal("127.0.0.1", request.Header("upstash-caller-ip"));
        Assert.NotEqual("MOON", request.Header("upstash-region"));
        Assert.Equal("Upstash-QStash", request.Header("user-agent"));
        Assert.True(await Sdk.VerifyAsync(Host.Credentials, request.Signature, request.Text, Receiver.Url("/hook")));
    }

    [Fact]
    public async Task Settings_are_told_and_a_forwarded_agent_and_encoding_are_kept()
    {
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", "0"), ("Upstash-Retry-Delay", "pow(2, retried) * 1000"),
            ("Upstash-Flow-Control-Key", Unique("key")), ("Upstash-Flow-Control-Value", "rate = 50, period=1m, parallelism=20"),
            ("Upstash-Timeout", "0s"), ("Upstash-Forward-User-Agent", "theirs/1"), ("Upstash-Forward-Content-Encoding", "gzip"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("0", request.Header("upstash-max-retries"));
        Assert.Equal("pow(2, retried) * 1000", request.Header("upstash-retry-delay"));
        Assert.StartsWith("key-", request.Header("upstash-flow-control-key"), StringComparison.Ordinal);
        Assert.Equal("parallelism=20,rate=50,period=60", request.Header("upstash-flow-control-value"));
        Assert.Equal(("theirs/1", "gzip"), (request.Header("user-agent"), request.Header("content-encoding")));
    }

    [Fact]
    public async Task Forwarded_workflow_headers_and_labels_are_kept()
    {
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"),
            ("Upstash-Forward-Upstash-Label", "theirs"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("1", request.Header("upstash-workflow-sdk-version"));
        Assert.Equal("theirs", request.Header("upstash-label"));
    }

    [Fact]
    public async Task The_token_in_the_query_works_and_never_reaches_the_destination()
    {
        var target = $"/v2/publish/{Receiver.Url("/hook")}?a=1&qstash_token={Uri.EscapeDataString(Host.Credentials.Token)}&b=2";
        var answer = await Wire.SendAsync(HttpMethod.Post, target, [], token: "");
        Assert.True((int)answer.Status == 200, answer.ToString());
        var shown = await Wire.GetAsync("/v2/messages/" + (string)answer.Json["messageId"]!);

        Assert.Equal("/hook?a=1&b=2", (await Receiver.OneAsync("/hook")).Target);
        Assert.DoesNotContain("qstash_token", shown.Text, StringComparison.Ordinal);
    }

    // Accept-Encoding is the outbound client's own business (not documented, but harmless).
    private static IEnumerable<string> Names(ReceivedRequest request) =>
        request.Headers.Select(header => header.Key).Where(name => name != "accept-encoding").Order(StringComparer.Ordinal);
}

public sealed class DeliveredHeadersOnSqlite(SqliteHost hosts, NodeSdk sdk) : DeliveredHeadersTests(hosts, sdk);

public sealed class DeliveredHeadersOnFunctions(FunctionsHost hosts, NodeSdk sdk) : DeliveredHeadersTests(hosts, sdk);
