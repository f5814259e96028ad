using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Schedules;
using FuncStash.Storage;

namespace FuncStash.Tests.Schedules;

/// <summary><c>Upstash-Cron</c> on a publish, an enqueue and an item of a batch makes a schedule, and nothing is sent before its time.</summary>
public sealed class UpstashCronTests : IAsyncDisposable
{
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData("/v2/publish/https://example.com/a?x=1", "Upstash-Cron")]
    [InlineData("/v2/publish/https://example.com/a?x=1", "upstash-cron")]
    [InlineData("/v2/publish/https://example.com/a?x=1&upstash-cron=*%2F10+*+*+*+*", null)]
    [InlineData("/v2/publish/https://example.com/a?upstash-cron=*/10%20*%20*%20*%20*&x=1", null)]
    public async Task On_a_publish(string target, string? header)
    {
        var answer = await _service.CallAsync("POST", target, "body", null,
            [("Upstash-Retries", "7"), ("Upstash-Forward-X-One", "1"), ("Upstash-Delay", "10s"), .. header is null ? [] : new[] { (header, "*/10 * * * *") }]);

        Assert.Equal(200, answer.Status);
        Assert.StartsWith("scd_", (string)answer.Json["scheduleId"]!, StringComparison.Ordinal);
        Assert.Single(answer.Json.AsObject());
        var schedule = await ScheduleAsync(answer);
        Assert.Equal(("*/10 * * * *", "https://example.com/a?x=1", 7, 10, "body"), (
            (string)schedule["cron"]!, (string)schedule["destination"]!, (int)schedule["retries"]!, (int)schedule["delay"]!, (string)schedule["body"]!));
        Assert.Equal("1", (string)schedule["header"]!["X-One"]![0]!);
        Assert.Empty(await MessagesAsync());

        await TickAsync(TimeSpan.FromMinutes(10));

        var message = Assert.Single(await MessagesAsync());
        Assert.Equal(("https://example.com/a?x=1", (string)answer.Json["scheduleId"]!, 7, "body"), (message.Url, message.ScheduleId, message.MaxRetries, Encoding.UTF8.GetString(message.Body)));
    }

    [Fact]
    public async Task With_an_id_it_is_the_schedule_that_the_schedules_route_makes()
    {
        await _service.CallAsync("POST", "/v2/schedules/https://example.com/old", "", null, ("Upstash-Cron", "0 0 * * *"), ("Upstash-Schedule-Id", "mine"));
        await _service.CallAsync("POST", "/v2/schedules/mine/pause");

        var answer = await _service.CallAsync("POST", "/v2/publish/https://example.com/new", "", null, ("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "mine"));

        Assert.Equal("mine", (string)answer.Json["scheduleId"]!);
        var schedule = await ScheduleAsync(answer);
        Assert.Equal(("https://example.com/new", true), ((string)schedule["destination"]!, (bool)schedule["isPaused"]!));
    }

    [Fact]
    public async Task To_a_URL_group()
    {
        await _service.CallAsync("POST", "/v2/topics/g/endpoints", """{"endpoints":[{"url":"https://example.com/1"},{"url":"https://example.com/2"}]}""");

        var answer = await _service.CallAsync("POST", "/v2/publish/g", "", null, ("Upstash-Cron", "* * * * *"));
        Assert.Equal("g", (string)(await ScheduleAsync(answer))["destination"]!);
        await TickAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(["https://example.com/1", "https://example.com/2"], (await MessagesAsync()).Select(m => m.Url).Order());
    }

    [Fact]
    public async Task On_an_enqueue_its_runs_join_the_queue()
    {
        var answer = await _service.CallAsync("POST", "/v2/enqueue/q/https://example.com/a", "", null, ("Upstash-Cron", "* * * * *"), ("Upstash-Queue-Name", "other"));

        Assert.Equal("q", (string)(await ScheduleAsync(answer))["queueName"]!);
        await TickAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("q", Assert.Single(await MessagesAsync()).QueueName);
    }

    [Fact]
    public async Task In_a_batch_each_item_is_what_it_asks_for()
    {
        await _service.CallAsync("POST", "/v2/topics/g/endpoints", """{"endpoints":[{"url":"https://example.com/g"}]}""");

        var answer = await _service.CallAsync("POST", "/v2/batch", """
            [
              {"destination":"https://example.com/0","body":"0"},
              {"destination":"https://example.com/1","body":"1","headers":{"Upstash-Cron":"* * * * *"}},
              {"destination":"https://example.com/2","headers":{"upstash-cron":"nonsense"}},
              {"destination":"https://example.com/3","queue":"q","headers":{"UPSTASH-CRON":"* * * * *"}},
              {"destination":"ftp://example.com/4","headers":{"Upstash-Cron":"* * * * *"}},
              {"destination":"no.such.group","headers":{"Upstash-Cron":"* * * * *"}},
              {"destination":"g","headers":{"Upstash-Cron":"* * * * *"}},
              {"destination":"g"},
              {"destination":"https://example.com/8","headers":{"Upstash-Retries":"x"}},
              {"destination":"https://example.com/9"}
            ]
            """);

        Assert.Equal(200, answer.Status);
        var items = answer.Json.AsArray();
        Assert.Equal(
            ["messageId", "scheduleId", "error", "scheduleId", "error", "error", "scheduleId", "array", "error", "messageId"],
            items.Select(item => item is JsonArray ? "array" : item!.AsObject().Single().Key));
        Assert.StartsWith("Invalid cron expression nonsense", (string)items[2]!["error"]!, StringComparison.Ordinal);
        Assert.Equal(["/0", "/9", "/g"], (await MessagesAsync()).Select(m => new Uri(m.Url).AbsolutePath).Order());
        await TickAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(["/0", "/1", "/3", "/9", "/g", "/g"], (await MessagesAsync()).Select(m => new Uri(m.Url).AbsolutePath).Order());
        var run = (await MessagesAsync()).Single(m => m.Url.EndsWith("/3", StringComparison.Ordinal));
        Assert.Equal(((string)items[3]!["scheduleId"]!, "q"), (run.ScheduleId, run.QueueName));
    }

    [Fact]
    public async Task A_schedule_in_a_batch_of_duplicates_is_new()
    {
        const string Duplicate = """{"destination":"https://example.com/","headers":{"Upstash-Deduplication-Id":"d"}}""";
        await _service.CallAsync("POST", "/v2/batch", $"[{Duplicate}]");

        Assert.Equal(202, (await _service.CallAsync("POST", "/v2/batch", $"[{Duplicate}]")).Status);
        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/batch",
            $$$"""[{{{Duplicate}}},{"destination":"https://example.com/","headers":{"Upstash-Cron":"* * * * *"}}]""")).Status);
    }

    [Theory]
    [InlineData("nonsense", "Invalid cron expression nonsense")]
    [InlineData("* * * * * *", "Invalid cron expression")]
    [InlineData("0 0 30 2 *", "no such day ever comes")]
    [InlineData("CRON_TZ=Mars/Base * * * * *", "unknown time zone Mars/Base")]
    [InlineData(" ", "Invalid cron expression empty spec string")]
    public async Task What_is_no_expression_is_refused_and_not_sent_at_once(string cron, string reason)
    {
        foreach (var target in new[] { "/v2/publish/https://example.com/", "/v2/enqueue/q/https://example.com/", "/v2/schedules/https://example.com/" })
        {
            var answer = await _service.CallAsync("POST", target, "", null, ("Upstash-Cron", cron));
            Assert.Equal(400, answer.Status);
            Assert.Contains(reason, answer.Error, StringComparison.Ordinal);
        }
        var item = $$$"""[{"destination":"https://example.com/","headers":{"Upstash-Cron":"{{{cron.Trim()}}}"}}]""";
        Assert.Contains(reason, (string)(await _service.CallAsync("POST", "/v2/batch", item)).Json[0]!["error"]!, StringComparison.Ordinal);
        Assert.Empty(await MessagesAsync());
        Assert.Empty((await _service.CallAsync("GET", "/v2/schedules")).Json.AsArray());
    }

    [Theory]
    [InlineData("https://example.com/", 400, "Upstash-Schedule-Id", "a/b", "Upstash-Schedule-Id")]
    [InlineData("https://example.com/", 400, "Upstash-Callback", "ftp://example.com", "Upstash-Callback")]
    [InlineData("no.such.group", 404, "Upstash-Retries", "1", "topic no.such.group not found")]
    [InlineData("ftp://example.com/", 400, "Upstash-Retries", "1", "scheme")]
    public async Task What_the_schedules_route_refuses_is_refused(string destination, int status, string name, string value, string reason)
    {
        foreach (var route in new[] { "publish", "schedules", "enqueue/q" })
        {
            var answer = await _service.CallAsync("POST", $"/v2/{route}/{destination}", "", null, ("Upstash-Cron", "* * * * *"), (name, value));
            Assert.Equal(status, answer.Status);
            Assert.Contains(reason, answer.Error, StringComparison.Ordinal);
        }
    }

    // A publisher to the group would get a schedule where it asked for a message.
    [Fact]
    public async Task It_is_no_default_of_a_URL_group()
    {
        await _service.CallAsync("POST", "/v2/topics/g/endpoints", """{"endpoints":[{"url":"https://example.com/1"}]}""");

        foreach (var cron in new[] { "* * * * *", "nonsense", "" })
        {
            var answer = await _service.CallAsync("PATCH", "/v2/topics/g", $$$"""{"headers":{"Upstash-Cron":"{{{cron}}}","Upstash-Retries":"1"}}""");
            Assert.Equal(400, answer.Status);
            Assert.Contains("Upstash-Cron: it cannot be a default of a URL group", answer.Error, StringComparison.Ordinal);
        }
        Assert.True((await _service.CallAsync("POST", "/v2/publish/g")).Json is JsonArray);
        Assert.Equal(3, Assert.Single(await MessagesAsync()).MaxRetries);
    }

    [Theory]
    [InlineData("Upstash-Callback", "Upstash-Callback-Cron")]
    [InlineData("Upstash-Failure-Callback", "Upstash-Failure-Callback-Cron")]
    [InlineData("Upstash-Callback", "Upstash-Callback-Failure-Callback-Cron", "Upstash-Callback-Failure-Callback")]
    public async Task A_callback_is_no_schedule(string callback, string cron, string? further = null)
    {
        (string, string)[] headers = [(callback, "https://example.com/cb"), (cron, "* * * * *"), .. further is null ? [] : new[] { (further, "https://example.com/f") }];

        foreach (var (target, others) in new (string, (string, string)[])[]
            { ("publish", []), ("enqueue/q", []), ("schedules", [("Upstash-Cron", "0 0 * * *")]) })
        {
            var answer = await _service.CallAsync("POST", $"/v2/{target}/https://example.com/", "", null, [.. headers, .. others]);
            Assert.Equal(400, answer.Status);
            Assert.Contains($"invalid {cron}: a callback is sent after an attempt", answer.Error, StringComparison.Ordinal);
        }
        Assert.Empty(await MessagesAsync());
    }

    [Theory]
    [InlineData("Upstash-Callback-Cron")]
    [InlineData("upstash-failure-callback-cron")]
    [InlineData("Upstash-Callback-Failure-Callback-Cron")]
    public async Task Nor_is_one_without_a_URL(string cron)
    {
        await _service.CallAsync("POST", "/v2/topics/g/endpoints", """{"endpoints":[{"url":"https://example.com/"}]}""");
        var id = await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/"));

        foreach (var (method, target, body) in new[]
        {
            ("POST", "/v2/publish/https://example.com/", ""), ("PATCH", "/v2/topics/g", $$$"""{"headers":{"{{{cron}}}":"* * * * *"}}"""),
            ("POST", $"/v2/dlq/retry/{id}", ""), ("POST", $"/v2/dlq/retry?dlqIds={id}", ""),
        })
        {
            var answer = await _service.CallAsync(method, target, body, null, (cron, "* * * * *"));
            Assert.Equal(400, answer.Status);
            Assert.Equal($"invalid {cron}: a callback is sent after an attempt, it cannot be a schedule", answer.Error, ignoreCase: true);
        }
        Assert.Empty(await MessagesAsync());
    }

    [Fact]
    public async Task A_dead_letter_sent_again_is_no_schedule()
    {
        var id = await _service.AddDeadLetterAsync(_service.NewMessage("https://example.com/"));

        foreach (var target in new[] { $"/v2/dlq/retry/{id}", $"/v2/dlq/retry?dlqIds={id}" })
        {
            var answer = await _service.CallAsync("POST", target, "", null, ("Upstash-Cron", "* * * * *"));
            Assert.Equal(400, answer.Status);
            Assert.Contains("it cannot become a schedule", answer.Error, StringComparison.Ordinal);
        }
        Assert.Equal(201, (await _service.CallAsync("POST", $"/v2/dlq/retry/{id}")).Status);
    }

    private async Task<JsonNode> ScheduleAsync(TestAnswer answer)
    {
        Assert.Equal(200, answer.Status);
        return (await _service.CallAsync("GET", "/v2/schedules/" + answer.Json["scheduleId"])).Json;
    }

    private async Task TickAsync(TimeSpan later)
    {
        _service.Time.Advance(later);
        await _service.Get<ScheduleTicker>().TickAsync(_service.Time.GetUtcNow());
    }

    private async Task<IReadOnlyList<Message>> MessagesAsync()
    {
        var all = new List<Message>();
        foreach (var day in await Days.ListAsync(_service.Get<IStore>().Tables, default))
        {
            for (var shard = 0; shard < MessageId.Shards; shard++)
            {
                var rows = await _service.Get<IStore>().Tables.QueryAsync(
                    MessageRows.Table, MessageRows.Partition(day, shard), RowRange.Prefix(MessageRows.Live), 1000);
                all.AddRange(rows.Select(row => MessageRows.FromRow(row).Message));
            }
        }
        return all;
    }
}
