using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.DeadLetters;

/// <summary>Sending dead letters again, and deleting many (protocol#dead-letter-delete, protocol#dead-letter-retry).</summary>
public abstract class DeadLetterRetryTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task A_retry_delivers_the_same_message_under_a_new_id()
    {
        Receiver.Answers("/hook", Answer.Of(500), Answer.Ok);
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook?x=1"), "secret", ("Upstash-Retries", "0"), ("Upstash-Method", "PUT"),
            ("Upstash-Forward-X-Tenant", "acme"), ("Content-Type", "text/plain"), ("Upstash-Redact-Fields", "body,header"));
        var dlqId = (string)(await Wire.DeadLetterAsync(id))["dlqId"]!;

        var answer = await Sdk.CallAsync(Host, "dlq.retry", dlqId);

        var retried = (string)Assert.Single(answer!["responses"]!.AsArray())!["messageId"]!;
        Assert.NotEqual(id, retried);
        Assert.Null(answer["cursor"]);
        var requests = await Receiver.WaitForAsync("/hook", 2);
        Assert.Equal([id, retried], requests.Select(request => request.MessageId));
        Assert.Equal(("PUT", "/hook?x=1", "secret"), (requests[1].Method, requests[1].Target, requests[1].Text));
        Assert.Equal(("acme", "text/plain"), (requests[1].Header("x-tenant"), requests[1].Header("content-type")));
        Assert.Equal("0", requests[1].Header("upstash-retried"));
        await Wire.StatesUntilAsync(retried, "DELIVERED");
        // It has left the queue of dead letters.
        var again = await Assert.ThrowsAsync<SdkException>(() => Sdk.CallAsync(Host, "dlq.retry", dlqId));
        Assert.Equal(404, again.Status);
        Assert.Equal(404, (await Assert.ThrowsAsync<SdkException>(() => Sdk.CallAsync(Host, "dlq.delete", dlqId))).Status);
    }

    [Fact]
    public async Task The_route_of_one_entry_takes_settings_that_override()
    {
        Receiver.Answers("/hook", Answer.Of(500));
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "b", ("Upstash-Retries", "0"));
        var dlqId = (string)(await Wire.DeadLetterAsync(id))["dlqId"]!;

        var answer = await Wire.SendAsync(HttpMethod.Post, "/v2/dlq/retry/" + dlqId, headers:
            [("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "10"), ("Upstash-Label", "again")]);
        var unknown = await Wire.SendAsync(HttpMethod.Post, "/v2/dlq/retry/" + dlqId);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.NotFound), (answer.Status, unknown.Status));
        var letter = await Wire.DeadLetterAsync((string)answer.Json["messageId"]!);
        Assert.Equal((2, "again"), ((int)letter["maxRetries"]!, (string?)letter["label"]));
        Assert.Equal(4, Receiver.Requests("/hook").Count);
    }

    [Fact]
    public async Task The_SDK_retries_by_list_and_by_filter()
    {
        var label = Unique("retry");
        var ids = await FailAsync(label, 5);

        Assert.Equal(2, Responses(await Sdk.CallAsync(Host, "dlq.retry", new[] { ids[0], ids[1] })));
        var missing = await Assert.ThrowsAsync<SdkException>(() => Sdk.CallAsync(Host, "dlq.retry", new[] { ids[2], ids[0] }));
        var first = await Sdk.CallAsync(Host, "dlq.retry", new { filter = new { label }, count = 2 });
        var second = await Sdk.CallAsync(Host, "dlq.retry", new { filter = new { label }, count = 2, cursor = (string?)first!["cursor"] });

        Assert.Equal(404, missing.Status);
        Assert.Equal((2, 1), (Responses(first), Responses(second)));
        Assert.NotNull(first["cursor"]);
        Assert.Null(second!["cursor"]);
        await Receiver.WaitForAsync("/hook", 10);
    }

    [Theory]
    [InlineData("dlq.retry", "responses")]
    [InlineData("dlq.delete", "deleted")]
    public async Task A_filter_without_a_match_is_no_error(string call, string property)
    {
        foreach (var name in new[] { "label", "url", "topicName", "scheduleId", "queueName", "flowControlKey", "messageId", "callerIp" })
        {
            var answer = await Sdk.CallAsync(Host, call, new { filter = new Dictionary<string, string> { [name] = Unique("none") } });
            Assert.Equal(property == "deleted" ? "0" : "[]", answer![property]!.ToJsonString());
            Assert.Null(answer["cursor"]);
        }
    }

    [Fact]
    public async Task The_SDK_deletes_by_list_and_by_filter()
    {
        var label = Unique("delete");
        var ids = await FailAsync(label, 6);

        var byList = await Sdk.CallAsync(Host, "dlq.delete", new[] { ids[0], "1-1" });
        var byIds = await Sdk.CallAsync(Host, "dlq.delete", new { dlqIds = new[] { ids[1] } });
        var first = await Sdk.CallAsync(Host, "dlq.delete", new { filter = new { label, responseStatus = 500 }, count = 3 });
        var second = await Sdk.CallAsync(Host, "dlq.delete", new { filter = new { label }, cursor = (string?)first!["cursor"] });

        Assert.Equal("""{"deleted":1}""", byList!.ToJsonString());
        Assert.Equal("""{"deleted":1}""", byIds!.ToJsonString());
        Assert.Equal(3, (int)first["deleted"]!);
        Assert.NotEmpty((string)first["cursor"]!);
        Assert.Equal("""{"deleted":1}""", second!.ToJsonString());
    }

    [Fact]
    public async Task A_body_of_ids_deletes_those()
    {
        var ids = await FailAsync(Unique("body"), 2);
        var body = Encoding.UTF8.GetBytes($$"""{"dlqIds":["{{ids[0]}}","{{ids[1]}}","1-1"]}""");

        var answer = await Wire.SendAsync(HttpMethod.Delete, "/v2/dlq", body, [("Content-Type", "application/json")]);

        Assert.Equal("""{"deleted":2}""", answer.Text);
    }

    [Fact]
    public async Task Everything_is_deleted_on_a_host_of_its_own()
    {
        await using var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data);
        Receiver.Answers("/hook", Answer.Of(500));
        for (var n = 0; n < 3; n++)
            await Sdk.CallAsync(host, "publishJSON", new { url = Receiver.Url("/hook"), retries = 0 });
        await Receiver.WaitForAsync("/hook", 3);
        await Wire_EventuallyAsync(host, 3);

        Assert.Equal("""{"deleted":3}""", (await Sdk.CallAsync(host, "dlq.delete", new { all = true }))!.ToJsonString());
        Assert.Empty((await Sdk.CallAsync(host, "dlq.listMessages"))!["messages"]!.AsArray());

        static async Task Wire_EventuallyAsync(RunningHost host, int count) => await Eventually.GetAsync(
            () => new WireClient(host).GetAsync("/v2/dlq"),
            answer => answer.Json["messages"]!.AsArray().Count == count);
    }

    private static int Responses(JsonNode? answer) => answer!["responses"]!.AsArray().Count;

    // The receiver is left answering 200.
    private async Task<List<string>> FailAsync(string label, int count)
    {
        Receiver.Answers("/hook", Answer.Of(500));
        var ids = new List<string>();
        for (var n = 0; n < count; n++)
        {
            var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "0"), ("Upstash-Label", label));
            ids.Add((string)(await Wire.DeadLetterAsync(id))["dlqId"]!);
        }
        Receiver.Answers("/hook", Answer.Ok);
        return ids;
    }
}

public sealed class DeadLetterRetriesOnSqlite(SqliteHost hosts, NodeSdk sdk) : DeadLetterRetryTests(hosts, sdk);

public sealed class DeadLetterRetriesOnAzurite(AzuriteHost hosts, NodeSdk sdk) : DeadLetterRetryTests(hosts, sdk);

public sealed class DeadLetterRetriesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : DeadLetterRetryTests(hosts, sdk);
