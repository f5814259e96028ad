using System.Text;
using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Logs;

/// <summary>The log tells the life of every message (protocol#states, protocol#logs).</summary>
public abstract class LogTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task Every_entry_describes_its_message()
    {
        var label = Unique("label");
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook?x=1"), "héllo", ("Upstash-Label", $"{label},second"), ("Upstash-Retries", "2"),
            ("Upstash-Retry-Delay", "15000"), ("Upstash-Method", "PUT"), ("Upstash-Timeout", "30s"),
            ("Upstash-Forward-X-A", "1"), ("Upstash-Callback", Receiver.Url("/callback")));

        var events = await Wire.EventsUntilAsync(id, "DELIVERED");

        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], events.Select(entry => (string?)entry["state"]));
        Assert.Equal(events.Select(entry => (long)entry["time"]!).Order(), events.Select(entry => (long)entry["time"]!));
        Assert.All(events, entry =>
        {
            Assert.Equal(id, (string?)entry["messageId"]);
            Assert.Equal(Receiver.Url("/hook?x=1"), (string?)entry["url"]);
            Assert.Equal(label, (string?)entry["label"]);
            Assert.Equal([label, "second"], entry["labels"]!.AsArray().Select(each => (string?)each));
            Assert.Equal("PUT", (string?)entry["method"]);
            Assert.Equal("1", (string?)entry["header"]!["X-A"]![0]);
            Assert.Equal("héllo", Encoding.UTF8.GetString(Convert.FromBase64String((string)entry["body"]!)));
            Assert.Equal(2, (int?)entry["maxRetries"]);
            Assert.Equal(30_000, (int?)entry["timeout"]);
            Assert.Equal("15000", (string?)entry["retryDelayExpression"]);
            Assert.Equal("15000", (string?)entry["retryDelayExpr"]);
            Assert.Equal(Receiver.Url("/callback"), (string?)entry["callback"]);
            Assert.Equal("127.0.0.1", (string?)entry["callerIP"]);
        });
    }

    [Fact]
    public async Task An_error_entry_keeps_the_response_and_a_retry_entry_the_next_time()
    {
        Receiver.Answers("/hook", Answer.Of(418, "short and stout", ("X-Pot", "tea")), Answer.Ok);
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "200"));

        var events = await Wire.EventsUntilAsync(id, "DELIVERED");
        var error = events.Single(entry => (string?)entry["state"] == "ERROR");
        var retry = events.Single(entry => (string?)entry["state"] == "RETRY");

        Assert.Equal(418, (int?)error["responseStatus"]);
        Assert.Equal("short and stout", Encoding.UTF8.GetString(Convert.FromBase64String((string)error["responseBody"]!)));
        Assert.Equal("tea", (string?)error["responseHeader"]!["X-Pot"]![0]);
        Assert.Equal("tea", (string?)error["responseHeaders"]!["X-Pot"]![0]);
        Assert.InRange((long)retry["nextDeliveryTime"]! - (long)retry["time"]!, 0, 1000);
        Assert.Single(events, entry => (string?)entry["state"] == "DELIVERED");
    }

    [Fact]
    public async Task Dates_bound_the_entries_to_the_millisecond()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"));
        var times = (await Wire.EventsUntilAsync(id, "DELIVERED")).Select(entry => (long)entry["time"]!).ToList();

        Assert.Equal(3, (await Wire.EventsAsync($"messageId={id}&fromDate={times[0]}&toDate={times[2]}")).Count);
        Assert.Empty(await Wire.EventsAsync($"messageId={id}&toDate={times[0] - 1}"));
        Assert.Empty(await Wire.EventsAsync($"messageId={id}&fromDate={times[2] + 1}"));
        var sdk = await Sdk.CallAsync(Host, "logs", new
        {
            filter = new { messageId = id, fromDate = NodeSdk.Date(DateTimeOffset.FromUnixTimeMilliseconds(times[0])) },
        });
        Assert.Equal(3, sdk!["logs"]!.AsArray().Count);
    }

    [Fact]
    public async Task The_SDK_pages_through_everything_once()
    {
        var label = Unique("paged");
        var ids = await Task.WhenAll(Enumerable.Range(0, 7).Select(n =>
            Wire.PublishAsync(Receiver.Url("/hook"), $"{n}", ("Upstash-Label", label))));
        foreach (var id in ids)
            await Wire.StatesUntilAsync(id, "DELIVERED");

        List<JsonNode> found = [];
        string? cursor = null;
        do
        {
            var page = await Sdk.CallAsync(Host, "logs", new { count = 4, cursor, filter = new { label } });
            Assert.InRange(page!["logs"]!.AsArray().Count, cursor is null ? 4 : 0, 4);
            found.AddRange(page["logs"]!.AsArray().Select(entry => entry!));
            Assert.False(page.AsObject().ContainsKey("cursor") && page["cursor"]!.ToString().Length == 0);
            cursor = page["cursor"]?.ToString();
        }
        while (cursor is not null);

        Assert.Equal(21, found.Count);
        Assert.Equal(21, found.Select(entry => $"{entry["messageId"]} {entry["state"]}").Distinct().Count());
        Assert.Equal(ids.Order(), found.Select(entry => (string)entry["messageId"]!).Distinct().Order());
        var times = found.Select(entry => (long)entry["time"]!).ToList();
        Assert.Equal(times.OrderDescending(), times);
    }

    [Fact]
    public async Task Earliest_first_turns_the_order_round()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"));
        await Wire.StatesUntilAsync(id, "DELIVERED");

        var earliest = await Wire.EventsAsync($"messageId={id}&order=earliestFirst");
        var latest = await Wire.EventsAsync($"messageId={id}&order=latestFirst");

        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], earliest.Select(entry => (string?)entry["state"]));
        Assert.Equal(["DELIVERED", "ACTIVE", "CREATED"], latest.Select(entry => (string?)entry["state"]));
    }

    [Fact]
    public async Task Grouped_each_message_comes_once_with_its_latest_state()
    {
        var label = Unique("grouped");
        Receiver.Answers("/b", Answer.Of(500));
        var a = await Wire.PublishAsync(Receiver.Url("/a"), "", ("Upstash-Label", label));
        await Wire.StatesUntilAsync(a, "DELIVERED");
        var b = await Wire.PublishAsync(Receiver.Url("/b"), "", ("Upstash-Label", label), ("Upstash-Retries", "0"));
        await Wire.StatesUntilAsync(b, "FAILED");

        var grouped = await Wire.EventsAsync($"groupBy=messageId&label={label}");
        var failed = await Wire.EventsAsync($"groupBy=messageId&state=FAILED&label={label}");
        var paged = await Wire.EventsAsync($"groupBy=messageId&label={label}", pageSize: 1);

        Assert.Equal([(b, "FAILED"), (a, "DELIVERED")], grouped.Select(entry => ((string)entry["messageId"]!, (string)entry["state"]!)));
        Assert.Equal([b], failed.Select(entry => (string)entry["messageId"]!));
        Assert.Equal([b, a], paged.Select(entry => (string)entry["messageId"]!));
    }

    [Fact]
    public async Task The_documented_logs_route_answers_under_both_names()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/hook"));
        await Wire.StatesUntilAsync(id, "DELIVERED");

        var answer = (await Wire.GetAsync("/v2/logs?messageId=" + id)).Json.AsObject();

        Assert.Equal(3, answer["logs"]!.AsArray().Count);
        Assert.Equal(3, answer["events"]!.AsArray().Count);
        Assert.False(answer.ContainsKey("cursor"));
    }
}

public sealed class LogsOnSqlite(SqliteHost hosts, NodeSdk sdk) : LogTests(hosts, sdk);

public sealed class LogsOnAzurite(AzuriteHost hosts, NodeSdk sdk) : LogTests(hosts, sdk);

public sealed class LogsOnFunctions(FunctionsHost hosts, NodeSdk sdk) : LogTests(hosts, sdk);
