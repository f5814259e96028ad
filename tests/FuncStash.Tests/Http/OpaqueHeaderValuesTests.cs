using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Tests.Http;

/// <summary>
/// Values of headers are bytes (RFC 9110 §5.5): what the service need not read itself reaches the destination as it came, in
/// whatever encoding, and is shown as text.
/// </summary>
public sealed class OpaqueHeaderValuesTests : IAsyncLifetime
{
    private const string Name = "Größe 寸.pdf", Latin = "Größe.pdf";

    private TestDestination _destination = null!;

    public async ValueTask InitializeAsync() => _destination = await TestDestination.StartAsync();

    public ValueTask DisposeAsync() => _destination.DisposeAsync();

    [Theory]
    [InlineData("utf-8", Name)]
    [InlineData("iso-8859-1", Latin)]
    public async Task What_is_forwarded_reaches_the_destination_byte_for_byte(string encoding, string value)
    {
        await using var service = new TestService { HeaderEncoding = Encoding.GetEncoding(encoding) };

        var one = await service.PublishAsync(_destination.Url("/one"), "", ("Upstash-Forward-X-File", value));
        var all = await service.PublishAsync(_destination.Url("/all?upstash-header-forward=true"), "", ("X-File", value));
        await service.DeliverDueAsync();

        foreach (var (path, id) in new[] { ("/one", one), ("/all", all) })
        {
            Assert.Equal(service.HeaderEncoding.GetBytes(value), Received(path, "X-File"));
            var shown = (await service.CallAsync("GET", "/v2/messages/" + id)).Json;
            Assert.Equal(value, (string?)shown["header"]!["X-File"]![0]);
        }
    }

    [Fact]
    public async Task What_comes_as_text_goes_out_in_UTF_8()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/topics/g/endpoints", $$"""{"endpoints":[{"url":"{{_destination.Url("/group")}}"}]}""");
        await service.CallAsync("PATCH", "/v2/topics/g", Json(new() { ["headers"] = Headers() }));

        await service.CallAsync("POST", "/v2/batch", $"[{Json(new() { ["destination"] = _destination.Url("/batch"), ["headers"] = Headers() })}]");
        await service.CallAsync("POST", "/v2/publish/g");
        await service.PublishAsync(_destination.Url($"/query?upstash-forward-x-file={Uri.EscapeDataString(Name)}"));
        await service.DeliverDueAsync();

        foreach (var path in new[] { "/batch", "/group", "/query" })
            Assert.Equal(Encoding.UTF8.GetBytes(Name), Received(path, "X-File"));

        static JsonObject Headers() => new() { ["Upstash-Forward-X-File"] = Name };
        static string Json(JsonObject value) => value.ToJsonString();
    }

    [Fact]
    public async Task A_query_can_say_any_byte()
    {
        await using var service = new TestService();

        await service.PublishAsync(_destination.Url("/bytes?upstash-forward-x-file=Jos%E9+%c3%a9"));
        await service.DeliverDueAsync();

        Assert.Equal([.. "Jos"u8, 0xE9, (byte)' ', 0xC3, 0xA9], Received("/bytes", "X-File"));
    }

    [Theory]
    [InlineData("utf-8", Name)]
    [InlineData("iso-8859-1", Latin)]
    public async Task A_callback_gets_its_own_headers_as_they_came_and_those_of_its_source_as_text(string encoding, string value)
    {
        await using var service = new TestService { HeaderEncoding = Encoding.GetEncoding(encoding) };
        var bodies = new List<string>();
        await using var back = await StandIn.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            bodies.Add(await reader.ReadToEndAsync());
            Assert.Equal(service.HeaderEncoding.GetBytes(value), Encoding.Latin1.GetBytes(context.Request.Headers["X-Mine"]!));
        });

        await service.PublishAsync(_destination.Url("/hook"), "", ("Upstash-Forward-X-File", value),
            ("Upstash-Callback", back.Url + "/done"), ("Upstash-Callback-Forward-X-Mine", value));
        await service.DeliverDueAsync();

        var shown = (await service.CallAsync("GET", "/v2/events?state=DELIVERED&path=/hook")).Json["events"]![0]!;
        Assert.Equal(value, (string?)shown["callbackHeaders"]!["Upstash-Forward-X-Mine"]![0]);
        Assert.Equal(value, (string?)JsonNode.Parse(Assert.Single(bodies))!["sourceHeader"]!["X-File"]![0]);
    }

    [Theory]
    [InlineData("utf-8", Name)]
    [InlineData("iso-8859-1", Latin)]
    public async Task What_a_destination_answers_is_shown_as_text(string encoding, string value)
    {
        await using var service = new TestService();
        await using var hook = await StandIn.StartAsync(context =>
        {
            context.Response.Headers["X-File"] = Encoding.Latin1.GetString(Encoding.GetEncoding(encoding).GetBytes(value));
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });

        await service.PublishAsync(hook.Url + "/hook", "", ("Upstash-Retries", "0"));
        await service.DeliverDueAsync();

        var letter = (await service.CallAsync("GET", "/v2/dlq")).Json["messages"]![0]!;
        Assert.Equal(value, (string?)letter["responseHeader"]!["X-File"]![0]);
        var entry = (await service.CallAsync("GET", "/v2/events?state=ERROR")).Json["events"]![0]!;
        Assert.Equal(value, (string?)entry["responseHeaders"]!["X-File"]![0]);
    }

    [Theory]
    [InlineData("utf-8", Name)]
    [InlineData("iso-8859-1", Latin)]
    public async Task A_redacted_value_is_the_hash_of_its_bytes(string encoding, string value)
    {
        await using var service = new TestService { HeaderEncoding = Encoding.GetEncoding(encoding) };

        var id = await service.PublishAsync(
            "https://api.example.com", "", ("Upstash-Forward-X-File", value), ("Upstash-Redact-Fields", "header[X-File]"));

        var hash = Convert.ToHexStringLower(SHA256.HashData(service.HeaderEncoding.GetBytes(value)));
        var shown = (await service.CallAsync("GET", "/v2/messages/" + id)).Json;
        Assert.Equal("REDACTED:" + hash, (string?)shown["header"]!["X-File"]![0]);
    }

    [Fact]
    public async Task A_schedule_and_a_retried_dead_letter_keep_the_bytes()
    {
        await using var service = new TestService { HeaderEncoding = Encoding.Latin1 };
        _destination.Status = (path, _) => path == "/dead" && _destination.Headers("/dead").Count == 1 ? 500 : 200;

        var schedule = (await service.CallAsync(
            "POST", "/v2/schedules/https://api.example.com", "", null, ("Upstash-Cron", "* * * * *"), ("Upstash-Forward-X-File", Latin))).Json;
        await service.PublishAsync(_destination.Url("/dead"), "", ("Upstash-Forward-X-File", Latin), ("Upstash-Retries", "0"));
        await service.DeliverDueAsync();
        var retried = await service.CallAsync("POST", "/v2/dlq/retry", "");
        await service.DeliverDueAsync();

        Assert.Equal(201, retried.Status);
        Assert.Equal(2, _destination.Headers("/dead").Count);
        Assert.All(_destination.Headers("/dead"), headers => Assert.Equal(Encoding.Latin1.GetBytes(Latin), Encoding.Latin1.GetBytes(headers["X-File"]!)));
        var shown = (await service.CallAsync("GET", $"/v2/schedules/{schedule["scheduleId"]}")).Json;
        Assert.Equal(Latin, (string?)shown["header"]!["X-File"]![0]);
    }

    [Theory]
    [InlineData("à")] // its last byte is a space in Latin-1
    [InlineData(" größe ")]
    public async Task What_the_service_reads_itself_is_text_in_UTF_8(string label)
    {
        await using var service = new TestService();
        await using var latin = new TestService { HeaderEncoding = Encoding.Latin1 };

        var id = await service.PublishAsync("https://api.example.com", "", ("Upstash-Label", label));
        var refused = await latin.CallAsync("POST", "/v2/publish/https://api.example.com", "", null, ("Upstash-Label", label));

        Assert.Equal([label.Trim()], (await service.MessageAsync(id))!.Message.Labels!);
        Assert.True(refused.Status == 400, refused.Text);
        Assert.Equal("invalid Upstash-Label: it must be UTF-8", refused.Error);
    }

    [Fact]
    public async Task A_callback_URL_may_be_written_in_UTF_8()
    {
        await using var service = new TestService();

        var id = await service.PublishAsync("https://api.example.com", "", ("Upstash-Callback", "https://api.example.com/größe"));

        Assert.Equal("https://api.example.com/größe", (await service.MessageAsync(id))!.Message.Callback!.Url);
    }

    [Theory]
    [InlineData("Upstash-Forward-X-File", "a\rb")]
    [InlineData("Upstash-Forward-X-File", "a\nb")]
    [InlineData("Upstash-Forward-X-File", "a\0b")]
    [InlineData("Upstash-Forward-X-File", "a\u0001b")]
    [InlineData("Upstash-Callback-Forward-X-File", "a\r\nX-Other: b")]
    [InlineData("Upstash-Callback-Workflow-X", "a\r\nX-Other: b")]
    [InlineData("Upstash-Failure-Callback-Workflow-X", "a\0b")]
    [InlineData("Content-Type", "a\nb")]
    public async Task A_value_that_no_header_can_have_is_refused_with_the_headers_name(string name, string value)
    {
        await using var service = new TestService();
        var item = new JsonObject { ["destination"] = "https://api.example.com", ["headers"] = new JsonObject { [name] = value } };

        var alone = await service.CallAsync("POST", "/v2/publish/https://api.example.com", "", null, (name, value));
        var batch = (await service.CallAsync("POST", "/v2/batch", $"[{item.ToJsonString()}]")).Json;

        Assert.True(alone.Status == 400, alone.Text);
        Assert.Equal($"invalid value of {name}: control characters are not allowed", alone.Error);
        Assert.Equal(alone.Error, (string?)batch[0]!["error"]);
    }

    [Fact]
    public async Task A_token_may_have_any_letters()
    {
        await using var service = new TestService(new FuncStashOptions { Tokens = ["schlüssel"] });

        Assert.Equal(200, (await service.CallAsync("GET", "/v2/queues", token: "schlüssel")).Status);
    }

    [Fact]
    public async Task The_LLM_provider_gets_bytes_and_gives_what_can_be_passed_on()
    {
        string? asked = null;
        await using var provider = await StandIn.StartAsync(context =>
        {
            asked = context.Request.Headers.Accept;
            context.Response.Headers["X-Request-Id"] = "\u00FF";
            context.Response.Headers["X-RateLimit-Limit-Requests"] = "10";
            return Task.CompletedTask;
        });
        await using var service = new TestService(new FuncStashOptions { LlmBaseUrl = provider.Url });

        var answer = await service.CallAsync("POST", "/llm/v1/chat/completions", "{}", null, ("Accept", "größe"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(Encoding.UTF8.GetBytes("größe"), Encoding.Latin1.GetBytes(asked!));
        Assert.Equal("10", answer.Headers["X-RateLimit-Limit-Requests"]);
        Assert.False(answer.Headers.ContainsKey("X-Request-Id"));
    }

    private byte[] Received(string path, string name) =>
        Encoding.Latin1.GetBytes(Assert.Single(_destination.Headers(path))[name].Single()!);
}
