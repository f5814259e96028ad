using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.DeadLetters;

/// <summary>What failed for good is kept with the last response (protocol#dead-letters).</summary>
public abstract class DeadLetterTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task A_dead_letter_holds_the_message_and_the_response()
    {
        var label = Unique("label");
        Receiver.Answers("/hook", Answer.Of(404, "404 Not Found", ("X-Why", "gone"), ("Content-Type", "text/plain")));
        var published = await Sdk.CallAsync(Host, "publishJSON", new
        {
            url = Receiver.Url("/hook?x=1"), body = new { n = 1 }, retries = 0, retryDelay = "7000 * retried", label,
        });
        var id = (string)published!["messageId"]!;
        await Wire.DeadLetterAsync(id);

        var listed = await Sdk.CallAsync(Host, "dlq.listMessages", new { filter = new { messageId = id } });
        var letter = Assert.Single(listed!["messages"]!.AsArray())!;

        Assert.False(listed.AsObject().ContainsKey("cursor"));
        Assert.Equal(id, (string?)letter["messageId"]);
        Assert.Matches(@"^\d+-\d+$", (string)letter["dlqId"]!);
        Assert.Equal(Receiver.Url("/hook?x=1"), (string?)letter["url"]);
        Assert.Equal("POST", (string?)letter["method"]);
        Assert.Equal("application/json", (string?)letter["header"]!["Content-Type"]![0]);
        Assert.Equal("""{"n":1}""", (string?)letter["body"]);
        Assert.Equal(0, (int?)letter["maxRetries"]);
        Assert.Equal("7000 * retried", (string?)letter["retryDelayExpression"]);
        Assert.Equal(label, (string?)letter["label"]);
        Assert.Equal("127.0.0.1", (string?)letter["callerIP"]);
        Assert.Equal(404, (int?)letter["responseStatus"]);
        Assert.Equal("404 Not Found", (string?)letter["responseBody"]);
        Assert.Equal("gone", (string?)letter["responseHeader"]!["X-Why"]![0]);
        Assert.NotNull(letter["createdAt"]);
        Assert.NotNull(letter["notBefore"]);
    }

    [Fact]
    public async Task A_binary_response_is_kept_as_base64()
    {
        byte[] bytes = [0, 255, 128, 1];
        Receiver.Answers("/hook", new Answer { Status = 500, Body = bytes });
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "0"));

        var letter = await Wire.DeadLetterAsync(id);
        Assert.Equal(Convert.ToBase64String(bytes), (string?)letter["responseBodyBase64"]);
        Assert.Null(letter["responseBody"]);
    }

    [Fact]
    public async Task One_is_read_and_deleted_once()
    {
        var dlqId = (string)(await FailAsync("/hook"))["dlqId"]!;

        var read = await Wire.GetAsync("/v2/dlq/" + dlqId);
        var first = await Sdk.CallAsync(Host, "dlq.delete", dlqId);
        var second = await Assert.ThrowsAsync<SdkException>(() => Sdk.CallAsync(Host, "dlq.delete", dlqId));
        var gone = await Wire.GetAsync("/v2/dlq/" + dlqId);

        Assert.Equal(dlqId, (string?)read.Json["dlqId"]);
        Assert.Equal(500, (int?)read.Json["responseStatus"]);
        Assert.Equal(1, (int?)first!["deleted"]);
        Assert.Equal(404, second.Status);
        Assert.Equal(HttpStatusCode.NotFound, gone.Status);
        Assert.NotEmpty(gone.Error);
    }

    [Fact]
    public async Task Filters_narrow_the_list()
    {
        var (one, two) = (Unique("one"), Unique("two"));
        var a = (string)(await FailAsync("/a", label: one))["dlqId"]!;
        var b = (string)(await FailAsync("/b", 404, two))["dlqId"]!;

        await AssertListedAsync([a], "label=" + one);
        await AssertListedAsync([a, b], $"label={one},{two}");
        await AssertListedAsync([a, b], $"dlqIds={a}&dlqIds={b}");
        await AssertListedAsync([b], "url=" + Uri.EscapeDataString(Receiver.Url("/b")));
        await AssertListedAsync([b], $"label={one}&label={two}&responseStatus=404");
        await AssertListedAsync([], $"label={one}&responseStatus=404");
        await AssertListedAsync([a], $"label={one}&callerIp=127.0.0.1");
        await AssertListedAsync([], $"label={one}&toDate={a.Split('-')[0][..^1]}");
    }

    [Fact]
    public async Task Pages_go_from_the_earliest_on_and_end_without_a_cursor()
    {
        var label = Unique("paged");
        List<string> ids = [];
        for (var n = 0; n < 5; n++)
            ids.Add((string)(await FailAsync("/hook" + n.ToString(CultureInfo.InvariantCulture), label: label))["dlqId"]!);

        List<string> found = [];
        string? cursor = null;
        do
        {
            var page = await Sdk.CallAsync(Host, "dlq.listMessages", new { count = 2, cursor, filter = new { label } });
            found.AddRange(page!["messages"]!.AsArray().Select(letter => (string)letter!["dlqId"]!));
            Assert.False(page.AsObject().TryGetPropertyValue("cursor", out var next) && string.IsNullOrEmpty((string?)next));
            cursor = (string?)next;
        }
        while (cursor is not null);

        Assert.Equal(ids, found);
        await AssertListedAsync([.. Enumerable.Reverse(ids)], $"label={label}&order=latestFirst", ordered: true);
    }

    [Theory]
    [InlineData("GET", "labeel=x")]
    [InlineData("GET", "path=/x")]
    [InlineData("DELETE", "labeel=x")]
    public async Task An_unknown_filter_is_refused(string method, string query)
    {
        var answer = await Wire.SendAsync(new HttpMethod(method), "/v2/dlq?" + query);

        Assert.InRange((int)answer.Status, 400, 499);
        Assert.NotEmpty(answer.Error);
    }

    private async Task<JsonNode> FailAsync(string path, int status = 500, string label = "unnamed")
    {
        Receiver.Answers(path, Answer.Of(status));
        return await Wire.DeadLetterAsync(await Wire.PublishAsync(
            Receiver.Url(path), "", ("Upstash-Retries", "0"), ("Upstash-Label", label)));
    }

    private async Task AssertListedAsync(string[] dlqIds, string query, bool ordered = false)
    {
        var answer = await Wire.GetAsync("/v2/dlq?" + query);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        var found = answer.Json["messages"]!.AsArray().Select(letter => (string)letter!["dlqId"]!).ToArray();
        if (!ordered)
        {
            Array.Sort(dlqIds, StringComparer.Ordinal);
            Array.Sort(found, StringComparer.Ordinal);
        }

        Assert.Equal(dlqIds, found);
    }
}

public sealed class DeadLettersOnSqlite(SqliteHost hosts, NodeSdk sdk) : DeadLetterTests(hosts, sdk);

public sealed class DeadLettersOnAzurite(AzuriteHost hosts, NodeSdk sdk) : DeadLetterTests(hosts, sdk);

public sealed class DeadLettersOnFunctions(FunctionsHost hosts, NodeSdk sdk) : DeadLetterTests(hosts, sdk);
