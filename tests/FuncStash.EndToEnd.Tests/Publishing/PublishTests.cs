using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Publishing;

/// <summary>What a publish may carry, and what becomes of it (protocol#publish).</summary>
public abstract class PublishTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task PublishJSON_of_the_SDK_reaches_the_destination()
    {
        var answer = await Sdk.CallAsync(Host, "publishJSON", new { url = Receiver.Url("/hook"), body = new { n = 1 } });

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("POST", request.Method);
        Assert.Equal("""{"n":1}""", request.Text);
        Assert.Equal("application/json", request.Header("content-type"));
        Assert.Equal((string?)answer!["messageId"], request.MessageId);
        Assert.StartsWith("msg_", request.MessageId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_option_of_the_SDK_is_kept_and_shown()
    {
        var label = Unique("label");
        var published = await Sdk.CallAsync(Host, "publish", new
        {
            url = Receiver.Url("/hook?a=1"),
            method = "PUT",
            body = "text",
            headers = new Dictionary<string, string> { ["test-header"] = "v", ["Content-Type"] = "text/plain" },
            delay = 3600,
            retries = 5,
            retryDelay = "pow(2, retried) * 1000",
            timeout = "30s",
            callback = Receiver.Url("/callback?x=1"),
            failureCallback = Receiver.Url("/failed"),
            label = new[] { label, "second" },
        });
        var id = (string)published!["messageId"]!;

        var message = await Sdk.CallAsync(Host, "messages.get", id);

        Assert.Equal(id, (string?)message!["messageId"]);
        Assert.Equal(Receiver.Url("/hook?a=1"), (string?)message["url"]);
        Assert.Equal("PUT", (string?)message["method"]);
        Assert.Equal("text", (string?)message["body"]);
        Assert.Equal("""{"Content-Type":["text/plain"],"Test-Header":["v"]}""", Sorted(message["header"]));
        Assert.Equal(5, (int?)message["maxRetries"]);
        Assert.Equal("pow(2, retried) * 1000", (string?)message["retryDelayExpression"]);
        Assert.Equal(Receiver.Url("/callback?x=1"), (string?)message["callback"]);
        Assert.Equal(Receiver.Url("/failed"), (string?)message["failureCallback"]);
        Assert.Equal(label, (string?)message["label"]);
        Assert.Equal([label, "second"], message["labels"]!.AsArray().Select(each => (string?)each));
        Assert.Equal("127.0.0.1", (string?)message["callerIP"]);
        Assert.InRange(Now() - (long)message["createdAt"]!, -1000, 60_000);
        Assert.Equal(3_600_000, (long)message["notBefore"]! - (long)message["createdAt"]!);
        await Sdk.CallAsync(Host, "messages.cancel", id);
    }

    [Fact]
    public async Task Options_that_were_not_given_are_absent_from_the_message()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Delay", "1h"));

        var message = (await Wire.MessageAsync(id)).AsObject();

        Assert.Equal(3, (int?)message["maxRetries"]);
        Assert.Equal("POST", (string?)message["method"]);
        Assert.Equal("{}", message["header"]?.ToJsonString());
        string[] absent =
        [
            "body", "bodyBase64", "callback", "failureCallback", "label", "labels", "retryDelayExpression", "queueName",
            "scheduleId", "topicName", "endpointName", "flowControlKey", "rate", "parallelism", "period",
        ];
        Assert.DoesNotContain(message, field => absent.Contains(field.Key));
        Assert.DoesNotContain(message, field => field.Value is null);
        await Wire.DeleteAsync("/v2/messages/" + id);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    public async Task Each_method_is_delivered_with_its_body(string method)
    {
        await Wire.PublishAsync(Receiver.Url("/hook"), "body", ("Upstash-Method", method));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal(method, request.Method);
        Assert.Equal("body", request.Text);
    }

    [Theory]
    [InlineData("1s", 1000)]
    [InlineData("1", 1000)]
    [InlineData(" 1s ", 1000)]
    [InlineData("1500ms", 1500)]
    [InlineData("0.5s", 500)]
    public async Task A_delayed_message_comes_when_it_is_due_and_not_before(string delay, int milliseconds)
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Delay", delay));
        var message = await Wire.MessageAsync(id);

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal(milliseconds, (long)message["notBefore"]! - (long)message["createdAt"]!);
        AssertNotEarly(request.At, (long)message["notBefore"]!);
    }

    [Fact]
    public async Task Not_before_is_a_unix_time_in_seconds_and_beats_the_delay()
    {
        var due = (Now() / 1000) + 2;
        await Sdk.CallAsync(Host, "publish", new { url = Receiver.Url("/hook"), notBefore = due, delay = 3600 });

        var request = await Receiver.OneAsync("/hook");
        AssertNotEarly(request.At, due * 1000);
    }

    [Fact]
    public async Task A_not_before_in_the_past_delivers_at_once()
    {
        await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Not-Before", "1000000000"));

        await Receiver.OneAsync("/hook");
    }

    [Fact]
    public async Task Settings_may_come_as_query_parameters_which_stay_away_from_the_destination()
    {
        var label = Unique("label");
        var id = await Wire.PublishAsync(Receiver.Url(
            $"/hook?a=1&upstash-retries=7&b=2&upstash-delay=1s&upstash-label={label}&upstash-forward-x-tenant=acme&c=3"));
        var message = await Wire.MessageAsync(id);

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("/hook?a=1&b=2&c=3", request.Target);
        Assert.Equal("acme", request.Header("x-tenant"));
        Assert.Equal(7, (int?)message["maxRetries"]);
        Assert.Equal(label, (string?)message["label"]);
        Assert.Equal(Receiver.Url("/hook?a=1&b=2&c=3"), (string?)message["url"]);
        // Ids that are given out at once are some milliseconds apart; what is due is told by the clock.
        Assert.InRange((long)message["notBefore"]! - (long)message["createdAt"]!, 900, 1000);
    }

    [Fact]
    public async Task A_header_wins_over_the_query_parameter_of_the_same_name()
    {
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook?upstash-retries=7&upstash-delay=1h"), "", ("Upstash-Retries", "2"));

        Assert.Equal(2, (int?)(await Wire.MessageAsync(id))["maxRetries"]);
        await Wire.DeleteAsync("/v2/messages/" + id);
    }

    [Fact]
    public async Task Forwarded_headers_lose_their_prefix_and_may_repeat()
    {
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Forward-X-One", "1"), ("upstash-forward-x-many", "a"),
            ("Upstash-Forward-X-Many", "b"), ("Upstash-Forward-Authorization", "Bearer theirs"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("1", request.Header("x-one"));
        Assert.Equal(["a", "b"], request.Headers["x-many"].SelectMany(value => value.Split(", ")));
        Assert.Equal("Bearer theirs", request.Header("authorization"));
    }

    [Fact]
    public async Task A_forwarded_content_type_beats_the_plain_one()
    {
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "<a/>", ("Content-Type", "text/plain"), ("Upstash-Forward-Content-Type", "text/xml"));

        Assert.Equal("text/xml", (await Receiver.OneAsync("/hook")).Header("content-type"));
    }

    [Fact]
    public async Task Header_forward_passes_on_what_a_webhook_sent_but_never_the_token()
    {
        await Wire.PublishAsync(
            Receiver.Url("/hook?upstash-header-forward=true"), """{"zen":1}""", ("Content-Type", "application/json"),
            ("X-GitHub-Event", "push"), ("User-Agent", "GitHub-Hookshot/1"));

        var request = await Receiver.OneAsync("/hook");
        Assert.Equal("push", request.Header("x-github-event"));
        Assert.Equal("application/json", request.Header("content-type"));
        Assert.Equal("""{"zen":1}""", request.Text);
        Assert.Null(request.Header("authorization"));
        Assert.Equal("/hook", request.Target);
    }

    private static void AssertNotEarly(DateTimeOffset at, long due) =>
        Assert.InRange(at.ToUnixTimeMilliseconds() - due, 0, 5000);

    private static string Sorted(JsonNode? map) => new JsonObject(
        map!.AsObject().OrderBy(field => field.Key, StringComparer.Ordinal)
            .Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone()))).ToJsonString();
}

public sealed class PublishOnSqlite(SqliteHost hosts, NodeSdk sdk) : PublishTests(hosts, sdk);

public sealed class PublishOnAzurite(AzuriteHost hosts, NodeSdk sdk) : PublishTests(hosts, sdk);

public sealed class PublishOnFunctions(FunctionsHost hosts, NodeSdk sdk) : PublishTests(hosts, sdk);
