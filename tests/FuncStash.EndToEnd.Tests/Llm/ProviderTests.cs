using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Llm;

/// <summary>
/// The SDK's LLM and e-mail providers (protocol#llm): it turns them into publishes, which have to arrive unchanged. The
/// receiver stands in for the providers, at their paths.
/// </summary>
public abstract class ProviderTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private const string OperatorsKey = "sk-operators-own";

    private const string Completion = """{"id":"c1","choices":[{"message":{"role":"assistant","content":"hello"}}]}""";

    public static TheoryData<string, object, string, string, string> Models => new()
    {
        { "openai", new { token = "sk-1", organization = "org-1" }, "/v1/chat/completions", "authorization", "Bearer sk-1" },
        { "anthropic", new { token = "sk-2" }, "/v1/messages", "x-api-key", "sk-2" },
        { "custom", new { token = "sk-3", baseUrl = "" }, "/v1/chat/completions", "authorization", "Bearer sk-3" },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public async Task A_chat_request_arrives_unchanged_and_its_answer_at_the_callback(
        string provider, object options, string path, string header, string value)
    {
        var callback = "/done-" + provider;
        Receiver.Answers(path, Answer.Of(200, Completion, ("Content-Type", "application/json")));

        await Sdk.CallAsync(Host, "publishJSON", new
        {
            api = new { name = "llm", provider = Provider(provider, options) },
            body = new { model = "m", messages = new[] { new { role = "user", content = "hi" } } },
            callback = Receiver.Url(callback),
        });

        var request = await Receiver.OneAsync(path);
        Assert.Equal(("POST", value, "application/json"), (request.Method, request.Header(header), request.Header("content-type")));
        Assert.Equal("""{"model":"m","messages":[{"role":"user","content":"hi"}]}""", request.Text);
        if (provider == "openai")
            Assert.Equal("org-1", request.Header("openai-organization"));
        if (provider == "anthropic")
            Assert.Equal("2023-06-01", request.Header("anthropic-version"));
        var called = (await Receiver.OneAsync(callback)).Json;
        Assert.Equal(Completion, Encoding.UTF8.GetString(Convert.FromBase64String((string)called["body"]!)));
        Assert.Equal(200, (int?)called["status"]);
    }

    [Theory]
    [InlineData(false, "/emails")]
    [InlineData(true, "/emails/batch")]
    public async Task An_email_arrives_unchanged(bool batch, string path)
    {
        var mail = new { from = "a@example.com", to = "b@example.com", subject = "s", html = "<p>h</p>" };

        await Sdk.CallAsync(Host, "publishJSON", new
        {
            api = new { name = "email", provider = Provider("resend", new { token = "re-1", batch }) },
            body = batch ? (object)new[] { mail, mail } : mail,
        });

        var request = await Receiver.OneAsync(path);
        Assert.Equal(("POST", "Bearer re-1"), (request.Method, request.Header("authorization")));
        var sent = batch ? Assert.IsType<JsonArray>(request.Json)[1]! : request.Json;
        Assert.Equal("b@example.com", (string?)sent["to"]);
    }

    [Fact]
    public async Task A_rate_limited_request_is_sent_again_when_the_provider_says()
    {
        Receiver.Answers("/v1/chat/completions", Answer.Of(429, "", ("x-ratelimit-reset-requests", "1s")), Answer.Of(200, Completion));

        var published = await Sdk.CallAsync(Host, "publishJSON", new
        {
            api = new { name = "llm", provider = Provider("openai", new { token = "sk-1" }) },
            body = new { model = "m" },
            callback = Receiver.Url("/done"),
        });

        // The default delay would be 12 seconds.
        var requests = await Receiver.WaitForAsync("/v1/chat/completions", 2, TimeSpan.FromSeconds(11));
        Assert.Equal(["0", "1"], requests.Select(request => request.Header("upstash-retried")));
        var events = await Wire.EventsUntilAsync((string)published!["messageId"]!, "DELIVERED");
        var retry = events.Single(entry => (string?)entry["state"] == "RETRY");
        Assert.InRange((long)retry["nextDeliveryTime"]! - (long)retry["time"]!, 900, 1100);
    }

    [Fact]
    public async Task The_legacy_destination_and_the_chat_call_go_to_the_operators_provider()
    {
        await using var data = new WithSettings(await Hosts.NewDataAsync(), new Dictionary<string, string?>
        {
            ["FUNCSTASH_LLM_BASE_URL"] = Receiver.BaseUrl, ["FUNCSTASH_LLM_API_KEY"] = OperatorsKey,
        });
        await using var host = await Hosts.StartAsync(data);
        Receiver.Answers("/v1/chat/completions", Answer.Of(200, Completion, ("Content-Type", "application/json")));
        var wire = new WireClient(host);

        var id = await wire.PublishAsync("api/llm", """{"model":"m"}""", ("Upstash-Callback", Receiver.Url("/done")));
        await Receiver.OneAsync("/done");
        var chat = await Sdk.CallAsync(host, "chat.create", new
        {
            provider = new JsonObject { ["$provider"] = "upstash" }, model = "m", messages = new[] { new { role = "user", content = "hi" } },
        });

        Assert.Equal("hello", (string?)chat!["choices"]![0]!["message"]!["content"]);
        var requests = await Receiver.WaitForAsync("/v1/chat/completions", 2);
        Assert.All(requests, request => Assert.Equal("Bearer " + OperatorsKey, request.Header("authorization")));
        Assert.Equal("""{"model":"m"}""", requests[0].Text);
        Assert.Equal("api/llm", (string?)(await wire.MessageAsync(id))["api"]);
        foreach (var target in new[] { "/v2/messages/" + id, "/v2/events", "/v2/dlq" })
            Assert.DoesNotContain(OperatorsKey, (await wire.GetAsync(target)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_provider_they_are_refused()
    {
        var publish = await Wire.TryPublishAsync("api/llm", [], ("Upstash-Callback", Receiver.Url("/done")));
        var noCallback = await Wire.TryPublishAsync("api/llm", []);
        var chat = await Wire.SendAsync(HttpMethod.Post, "/llm/v1/chat/completions", Encoding.UTF8.GetBytes("{}"));

        Assert.Equal((400, 400, 501), ((int)publish.Status, (int)noCallback.Status, (int)chat.Status));
        Assert.NotEmpty(publish.Error);
        Assert.NotEmpty(noCallback.Error);
        Assert.NotEmpty(chat.Error);
    }

    // A provider made by the SDK, with the receiver in the place of its host.
    private JsonObject Provider(string name, object options)
    {
        var arguments = System.Text.Json.JsonSerializer.SerializeToNode(options)!.AsObject();
        if (arguments.ContainsKey("baseUrl"))
            arguments["baseUrl"] = Receiver.BaseUrl;
        return new JsonObject { ["$provider"] = name, ["options"] = arguments, ["baseUrl"] = Receiver.BaseUrl };
    }
}

public sealed class ProvidersOnSqlite(SqliteHost hosts, NodeSdk sdk) : ProviderTests(hosts, sdk);

public sealed class ProvidersOnFunctions(FunctionsHost hosts, NodeSdk sdk) : ProviderTests(hosts, sdk);
