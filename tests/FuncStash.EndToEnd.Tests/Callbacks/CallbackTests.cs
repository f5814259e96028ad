using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Callbacks;

/// <summary>Callbacks tell the outcome of every attempt (protocol#callbacks).</summary>
public abstract class CallbackTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task A_callback_comes_after_each_attempt_and_carries_the_response()
    {
        Receiver.Answers("/hook", Answer.Of(503, "try later", ("X-Why", "busy")), Answer.Of(201, "done"));
        var published = await Sdk.CallAsync(Host, "publishJSON", new
        {
            url = Receiver.Url("/hook?q=1"), body = new { n = 1 }, method = "PUT", retries = 1, retryDelay = "400",
            callback = Receiver.Url("/callback"),
        });
        var id = (string)published!["messageId"]!;

        var callbacks = (await Receiver.WaitForAsync("/callback", 2)).OrderBy(call => (int)call.Json["retried"]!).ToList();
        var (first, second) = (callbacks[0].Json, callbacks[1].Json);

        Assert.Equal(
            [
                "body", "callerIP", "createdAt", "header", "maxRetries", "method", "notBefore", "retried", "sourceBody",
                "sourceHeader", "sourceMessageId", "status", "url",
            ], Fields(first));
        Assert.Equal(Fields(first), Fields(second));
        Assert.Equal(503, (int?)first["status"]);
        Assert.Equal("try later", Decoded(first["body"]));
        Assert.Equal("busy", (string?)first["header"]!["X-Why"]![0]);
        Assert.Equal((0, 1), ((int)first["retried"]!, (int)first["maxRetries"]!));
        Assert.Equal((201, "done", 1), ((int)second["status"]!, Decoded(second["body"]), (int)second["retried"]!));
        Assert.Equal(id, (string?)first["sourceMessageId"]);
        Assert.Equal(Receiver.Url("/hook?q=1"), (string?)first["url"]);
        Assert.Equal("PUT", (string?)first["method"]);
        Assert.Equal("application/json", (string?)first["sourceHeader"]!["Content-Type"]![0]);
        Assert.Equal("""{"n":1}""", Decoded(first["sourceBody"]));
        Assert.Equal("127.0.0.1", (string?)first["callerIP"]);
        Assert.InRange(Now() - (long)first["createdAt"]!, -1000, 60_000);
        Assert.Equal((long)first["createdAt"]!, (long)first["notBefore"]!);
    }

    [Fact]
    public async Task A_callback_is_a_message_of_its_own_signed_for_its_own_URL()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "x", ("Upstash-Callback", Receiver.Url("/callback?for=x")));
        var callback = await Receiver.OneAsync("/callback");

        Assert.Equal("POST", callback.Method);
        Assert.Equal("application/json", callback.Header("content-type"));
        Assert.Equal("Upstash-QStash", callback.Header("user-agent"));
        Assert.NotEqual(id, callback.MessageId);
        Assert.Equal("0", callback.Header("upstash-retried"));
        Assert.True(await Sdk.VerifyAsync(
            Host.Credentials, callback.Signature, callback.Text, Receiver.Url("/callback?for=x")));
        Assert.Equal("DELIVERED", (await Wire.StatesUntilAsync(callback.MessageId, "DELIVERED"))[^1]);
    }

    [Fact]
    public async Task A_failure_callback_comes_once_at_the_end_and_names_the_dead_letter()
    {
        Receiver.Answers("/hook", Answer.Of(500, "oops"));
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "source", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "100"),
            ("Upstash-Callback", Receiver.Url("/callback")), ("Upstash-Failure-Callback", Receiver.Url("/failed")));

        var failed = (await Receiver.OneAsync("/failed")).Json;
        await Receiver.WaitForAsync("/callback", 2);
        var letter = await Wire.DeadLetterAsync(id);

        Assert.Equal(
            [
                "body", "callerIP", "createdAt", "dlqId", "header", "maxRetries", "method", "notBefore", "retried",
                "sourceBody", "sourceHeader", "sourceMessageId", "status", "url",
            ], Fields(failed));
        Assert.Equal((string?)letter["dlqId"], (string?)failed["dlqId"]);
        Assert.Equal(500, (int?)failed["status"]);
        Assert.Equal("oops", Decoded(failed["body"]));
        Assert.Equal((1, 1), ((int)failed["retried"]!, (int)failed["maxRetries"]!));
        Assert.Equal(id, (string?)failed["sourceMessageId"]);
        Assert.Equal("source", Decoded(failed["sourceBody"]));
        Assert.Single(Receiver.Requests("/failed"));
        Assert.All(Receiver.Requests("/callback"), call => Assert.Null(call.Json["dlqId"]));
    }

    [Fact]
    public async Task No_failure_callback_comes_for_a_message_that_got_through()
    {
        Receiver.Answers("/hook", Answer.Of(500), Answer.Ok);
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "50"),
            ("Upstash-Callback", Receiver.Url("/callback")), ("Upstash-Failure-Callback", Receiver.Url("/failed")));

        var callbacks = await Receiver.WaitForAsync("/callback", 2);
        await Wire.StatesUntilAsync(callbacks[1].MessageId, "DELIVERED");
        Assert.Empty(Receiver.Requests("/failed"));
    }

    [Fact]
    public async Task A_callback_has_settings_of_its_own()
    {
        Receiver.Answers("/callback", Answer.Of(500), Answer.Ok);
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Callback", Receiver.Url("/callback")),
            ("Upstash-Callback-Method", "PATCH"), ("Upstash-Callback-Retries", "1"),
            ("Upstash-Callback-Retry-Delay", "300"), ("Upstash-Callback-Delay", "1s"),
            ("Upstash-Callback-Forward-X-Tenant", "acme"), ("Upstash-Callback-Forward-Authorization", "Bearer theirs"),
            ("Upstash-Forward-X-Source", "only the source"));

        var delivered = await Receiver.OneAsync("/hook");
        var callbacks = await Receiver.WaitForAsync("/callback", 2);

        Assert.Null(delivered.Header("x-tenant"));
        Assert.All(callbacks, callback =>
        {
            Assert.Equal("PATCH", callback.Method);
            Assert.Equal("acme", callback.Header("x-tenant"));
            Assert.Equal("Bearer theirs", callback.Header("authorization"));
            Assert.Null(callback.Header("x-source"));
        });
        Assert.InRange((callbacks[0].At - delivered.At).TotalMilliseconds, 950, 6000);
        Assert.InRange((callbacks[1].At - callbacks[0].At).TotalMilliseconds, 300, 4000);
    }

    [Fact]
    public async Task Settings_of_the_failure_callback_are_not_those_of_the_callback()
    {
        Receiver.Answers("/hook", Answer.Of(500));
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", "0"),
            ("Upstash-Callback", Receiver.Url("/callback")), ("Upstash-Callback-Method", "PUT"),
            ("Upstash-Failure-Callback", Receiver.Url("/failed")), ("Upstash-Failure-Callback-Method", "PATCH"),
            ("Upstash-Failure-Callback-Forward-X-Which", "failure"));

        Assert.Equal("PUT", (await Receiver.OneAsync("/callback")).Method);
        var failed = await Receiver.OneAsync("/failed");
        Assert.Equal("PATCH", failed.Method);
        Assert.Equal("failure", failed.Header("x-which"));
        Assert.Null((await Receiver.OneAsync("/callback")).Header("x-which"));
    }

    [Fact]
    public async Task A_callback_inherits_the_retries_of_its_message_and_its_own_failure_calls_nobody()
    {
        Receiver.Answers("/callback", Answer.Of(500));
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Callback", Receiver.Url("/callback")),
            ("Upstash-Callback-Retry-Delay", "50"), ("Upstash-Failure-Callback", Receiver.Url("/failed")));

        var callback = (await Receiver.WaitForAsync("/callback", 2))[0];
        Assert.Equal("FAILED", (await Wire.StatesUntilAsync(callback.MessageId, "FAILED"))[^1]);
        var letter = await Wire.DeadLetterAsync(callback.MessageId);

        Assert.Equal(Receiver.Url("/callback"), (string?)letter["url"]);
        Assert.Equal(1, (int?)letter["maxRetries"]);
        Assert.Equal("DELIVERED", (await Wire.StatesUntilAsync(id, "DELIVERED"))[^1]);
        Assert.Equal(2, Receiver.Requests("/callback").Count);
        Assert.Empty(Receiver.Requests("/failed"));
    }

    [Fact]
    public async Task A_callback_about_no_response_says_why()
    {
        Receiver.Answers("/hook", new Answer { Abort = true });
        await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", "0"), ("Upstash-Callback", Receiver.Url("/callback")));

        var callback = (await Receiver.OneAsync("/callback")).Json;
        Assert.NotInRange((int)callback["status"]!, 200, 299);
        Assert.NotEmpty((string)callback["error"]!);
    }

    private static List<string> Fields(JsonNode callback) =>
        [.. callback.AsObject().Select(field => field.Key).Order(StringComparer.Ordinal)];

    private static string Decoded(JsonNode? base64) => Encoding.UTF8.GetString(Convert.FromBase64String((string)base64!));
}

public sealed class CallbacksOnSqlite(SqliteHost hosts, NodeSdk sdk) : CallbackTests(hosts, sdk);

public sealed class CallbacksOnAzurite(AzuriteHost hosts, NodeSdk sdk) : CallbackTests(hosts, sdk);

public sealed class CallbacksOnFunctions(FunctionsHost hosts, NodeSdk sdk) : CallbackTests(hosts, sdk);
