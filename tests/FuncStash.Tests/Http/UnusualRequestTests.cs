using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.Tests.Http;

/// <summary>Requests that are rare and rarely meant, yet have one right answer.</summary>
public sealed class UnusualRequestTests
{
    [Theory]
    [InlineData("POST", "/v2/flowControl//pause")]
    [InlineData("POST", "/v2/flowControl//pin?parallelism=1")]
    [InlineData("POST", "/v2/queues//resume")]
    [InlineData("POST", "/v2/topics//endpoints")]
    [InlineData("POST", "/v2/enqueue//https://api.example.com")]
    public async Task A_name_that_is_missing_in_the_path_is_refused_as_a_bad_one(string method, string target)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync(method, target, "{}");

        Assert.True(answer.Status == 400, answer.Text);
        Assert.StartsWith("invalid ", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_id_is_never_taken_for_the_collection()
    {
        await using var service = new TestService();
        var id = await service.PublishAsync("https://api.example.com", "", ("Upstash-Delay", "1h"));

        Assert.Equal(404, (await service.CallAsync("DELETE", "/v2/messages//")).Status);
        Assert.Equal("""{"cancelled":1}""", (await service.CallAsync("DELETE", "/v2/messages/")).Text);
        Assert.NotNull(await service.MessageAsync(id));
    }

    [Theory]
    [InlineData("DELETE", "/v2/messages", """{"messageIds":["\ud83d"]}""")]
    [InlineData("DELETE", "/v2/messages", """{"\ud83d":["a"]}""")]
    [InlineData("DELETE", "/v2/dlq", """{"dlqIds":"\ud83d"}""")]
    [InlineData("POST", "/v2/dlq/retry", """{"label":["\ud83d"]}""")]
    [InlineData("POST", "/v2/queues", """{"\ud83d":1,"queueName":"\ud83d"}""")]
    public async Task Half_a_character_in_a_body_is_the_callers_mistake(string method, string target, string body)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync(method, target, body);

        Assert.True(answer.Status == 400, answer.Text);
        Assert.Contains("of whole characters", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_a_character_in_a_batch_is_the_mistake_of_its_item()
    {
        await using var service = new TestService();

        var answer = await service.CallAsync(
            "POST", "/v2/batch", """[{"\ud83d":1,"destination":"https://a.example"},{"destination":"https://b.example"}]""");

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Contains("of whole characters", (string?)answer.Json[0]!["error"], StringComparison.Ordinal);
        Assert.NotNull(answer.Json[1]!["messageId"]);
    }

    [Fact]
    public async Task The_parameters_of_a_setting_that_is_a_list_are_one_list_which_a_header_replaces()
    {
        await using var service = new TestService();
        const string Target = "https://api.example.com?upstash-label=a&x=1&Upstash-Label=b&upstash-redact-fields=body&upstash-redact-fields=header";
        var both = (await service.CallAsync("GET", "/v2/messages/" + await service.PublishAsync(Target, "secret"))).Json;
        var header = (await service.CallAsync("GET", "/v2/messages/" + await service.PublishAsync(Target, "secret", ("Upstash-Label", "c")))).Json;

        Assert.Equal(["a", "b"], both["labels"]!.AsArray().Select(label => (string?)label));
        Assert.StartsWith("REDACTED:", (string?)both["body"], StringComparison.Ordinal);
        Assert.Equal(["c"], header["labels"]!.AsArray().Select(label => (string?)label));
    }

    [Fact]
    public async Task A_deduplication_id_that_was_no_UTF_8_is_refused_and_not_taken_for_another_one()
    {
        await using var service = new TestService { HeaderEncoding = Encoding.Latin1 };

        var answer = await service.CallAsync(
            "POST", "/v2/publish/https://api.example.com", "", null, ("Upstash-Deduplication-Id", "order-\u00FF"));

        Assert.True(answer.Status == 400, answer.Text);
        Assert.Equal("invalid Upstash-Deduplication-Id: it must be UTF-8", answer.Error);
        await using var inUtf8 = new TestService();
        await inUtf8.PublishAsync("https://api.example.com", "", ("Upstash-Deduplication-Id", "größe"));
        await inUtf8.PublishAsync("https://api.example.com", "", ("Upstash-Deduplication-Id", "grüße"));
    }

    [Fact]
    public async Task The_lines_of_a_header_that_is_a_list_are_one_list()
    {
        await using var service = new TestService();
        var id = await service.PublishAsync(
            "https://api.example.com", "secret", ("Upstash-Label", "a, b"), ("Upstash-Label", "c"),
            ("Upstash-Redact-Fields", "body"), ("Upstash-Redact-Fields", "header[X-Key]"), ("Upstash-Forward-X-Key", "hush"),
            ("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "rate=5"), ("Upstash-Flow-Control-Value", "period=2m"),
            ("Upstash-Retries", "1"), ("Upstash-Retries", "2"));

        var message = (await service.CallAsync("GET", $"/v2/messages/{id}")).Json;

        Assert.Equal(["a", "b", "c"], message["labels"]!.AsArray().Select(label => (string?)label));
        Assert.StartsWith("REDACTED:", (string?)message["body"], StringComparison.Ordinal);
        Assert.StartsWith("REDACTED:", (string?)message["header"]!["X-Key"]![0], StringComparison.Ordinal);
        Assert.Equal((5, 120), ((int)message["rate"]!, (int)message["period"]!));
        Assert.Equal(2, (int)message["maxRetries"]!);
    }

    [Fact]
    public async Task A_label_may_have_letters_beyond_ASCII_and_finds_its_messages()
    {
        await using var service = new TestService();
        var item = new JsonObject
        {
            ["destination"] = "https://api.example.com", ["headers"] = new JsonObject { ["upstash-label"] = "größe, 寸" },
        };
        var answer = (await service.CallAsync("POST", "/v2/batch", $"[{item.ToJsonString()}]")).Json[0]!;

        var found = await service.CallAsync("GET", $"/v2/events?label={Uri.EscapeDataString("größe")}");

        Assert.Equal((string?)answer["messageId"], (string?)found.Json["events"]![0]!["messageId"]);
        Assert.Equal("寸", (string?)found.Json["events"]![0]!["labels"]![1]);
    }

    [Theory]
    [InlineData("a\u0007b")]
    [InlineData("a\nb")]
    [InlineData("a\u0085b")]
    public async Task A_label_that_is_no_text_is_refused(string label)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("POST", "/v2/publish/https://api.example.com", "", null, ("Upstash-Label", label));

        Assert.True(answer.Status == 400, answer.Text);
        Assert.Contains("Upstash-Label", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("host", "api.example.com")]
    [InlineData("host", "API.Example.com:8443")]
    [InlineData("host", "api.example.com:8443")]
    [InlineData("path", "/größe/%7euser/../x")]
    [InlineData("path", "/gr%C3%B6%C3%9Fe/x")]
    public async Task A_destination_is_found_by_its_host_and_path_as_they_were_written(string name, string value)
    {
        await using var service = new TestService();
        var item = new JsonObject
        {
            ["destination"] = "https://API.Example.com:8443/größe/%7euser/../x?a=/b#c", ["headers"] = new JsonObject { ["upstash-delay"] = "1h" },
        };
        await service.CallAsync("POST", "/v2/batch", $"[{item.ToJsonString()}]");

        Assert.Equal(0, (int)(await service.CallAsync("DELETE", $"/v2/messages?{name}=x")).Json["cancelled"]!);
        Assert.Equal(1, (int)(await service.CallAsync("DELETE", $"/v2/messages?{name}={Uri.EscapeDataString(value)}")).Json["cancelled"]!);
    }
}
