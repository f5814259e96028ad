using System.Globalization;
using FuncStash.DeadLetters;

namespace FuncStash.Tests.DeadLetters;

public sealed class DeadLetterListTests : IAsyncDisposable
{
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData("label=a", "0 2")]
    [InlineData("label=a&label=b", "0 1 2")]
    [InlineData("label=a,b", "0 1 2")]
    [InlineData("responseStatus=404", "1")]
    [InlineData("responseStatus=404&responseStatus=503", "1 2")]
    [InlineData("responseStatus=404,503", "1 2")]
    [InlineData("url=https%3A%2F%2Fexample.com%2F1", "1")]
    [InlineData("topicName=t0,t2", "0 2")]
    [InlineData("scheduleId=s1", "1")]
    [InlineData("queueName=queue-1&queueName=queue-2", "1 2")]
    [InlineData("callerIp=192.0.2.1", "1")]
    [InlineData("callerIP=192.0.2.1", "1")]
    [InlineData("flowControlKey=f0", "0")]
    [InlineData("search=EXAMPLE.com%2F1", "1")]
    [InlineData("error=error%201", "1")]
    [InlineData("error=error", "")]
    [InlineData("label=a&responseStatus=503", "2")]
    [InlineData("label=none", "")]
    [InlineData("order=latestFirst", "2 1 0")]
    [InlineData("order=earliestFirst", "0 1 2")]
    [InlineData("order=latestFirst&label=a", "2 0")]
    [InlineData("source=workflow", "")]
    [InlineData("api=llm", "0 1 2")]
    public async Task Filters_must_all_match_and_values_of_one_are_alternatives(string query, string expected)
    {
        await AddAsync();
        Assert.Equal(expected, await ListAsync(query));
    }

    [Theory]
    [InlineData("label=a", "1")]
    [InlineData("url=https%3A%2F%2Fexample.com%2F1", "0 2")]
    [InlineData("topicName=t0,t2", "1")]
    [InlineData("scheduleId=s1", "0 2")]
    [InlineData("queueName=queue-1&queueName=queue-2", "0")]
    [InlineData("callerIp=192.0.2.1", "0 2")]
    [InlineData("callerIP=192.0.2.1", "0 2")]
    [InlineData("flowControlKey=f0", "1 2")]
    [InlineData("responseStatus=404,503", "0")]
    [InlineData("search=queue-1", "0 2")]
    [InlineData("error=error%201", "0 2")]
    [InlineData("messageId={message 1}", "0 2")]
    [InlineData("dlqIds={dlq 1}&label=ignored", "0 2")]
    [InlineData("fromDate={time 1}", "0")]
    [InlineData("toDate={time 1}", "2")]
    [InlineData("cursor={dlq 0}", "0")]
    [InlineData("count=1", "1 2")]
    [InlineData("order=latestFirst&count=1", "0 1")]
    [InlineData("source=workflow", "0 1 2")]
    [InlineData("api=llm", "0 1 2")]
    public async Task The_same_filters_choose_what_is_deleted_and_retried(string query, string left)
    {
        foreach (var (method, target) in new[] { ("DELETE", "/v2/dlq?"), ("POST", "/v2/dlq/retry?") })
        {
            var ids = await AddAsync();
            var filled = query;
            for (var i = 0; i < ids.Count; i++)
            {
                var letter = await _service.Get<DeadLetterStore>().GetAsync(ids[i]);
                filled = filled.Replace($"{{message {i}}}", letter!.Message.Id.Text, StringComparison.Ordinal)
                    .Replace($"{{dlq {i}}}", ids[i].ToString(), StringComparison.Ordinal)
                    .Replace($"{{time {i}}}", $"{ids[i].FailedAt}", StringComparison.Ordinal);
            }
            Assert.InRange((await _service.CallAsync(method, target + filled)).Status, 200, 201);
            Assert.Equal(left, await ListAsync(""));
            await _service.CallAsync("DELETE", "/v2/dlq");
        }
    }

    [Fact]
    public async Task Message_and_dlq_ids_name_single_entries()
    {
        var ids = await AddAsync();
        var letter = await _service.Get<DeadLetterStore>().GetAsync(ids[1]);

        Assert.Equal("1", await ListAsync("messageId=" + letter!.Message.Id));
        Assert.Equal("1 0", await ListAsync($"dlqIds={ids[1]},{ids[0]}&dlqIds=1-1&label=ignored"));
        Assert.Equal("", await ListAsync("dlqIds=unknown"));
    }

    [Fact]
    public async Task Dates_bound_the_time_of_failure_inclusively()
    {
        var ids = await AddAsync();

        Assert.Equal("1", await ListAsync(Range(ids[1].FailedAt, ids[1].FailedAt)));
        Assert.Equal("1 2", await ListAsync(Range(ids[1].FailedAt, ids[2].FailedAt)));
        Assert.Equal("2 1", await ListAsync(Range(ids[1].FailedAt, ids[2].FailedAt) + "&order=latestFirst"));
        Assert.Equal("", await ListAsync(Range(ids[0].FailedAt + 1, ids[1].FailedAt - 1)));

        static string Range(long from, long to) => string.Create(CultureInfo.InvariantCulture, $"fromDate={from}&toDate={to}");
    }

    [Theory]
    [InlineData("labeel=a", "unknown parameter: labeel")]
    [InlineData("host=example.com", "unknown parameter: host")]
    [InlineData("path=%2F", "unknown parameter: path")]
    [InlineData("order=sideways", "invalid order")]
    [InlineData("cursor=x", "invalid cursor")]
    [InlineData("responseStatus=abc", "invalid responseStatus")]
    [InlineData("source=elsewhere", "invalid source")]
    [InlineData("count=-1", "invalid count")]
    public async Task What_is_not_understood_is_refused_by_every_call(string query, string error)
    {
        var ids = await AddAsync();
        foreach (var (method, target) in new[] { ("GET", "/v2/dlq"), ("DELETE", "/v2/dlq"), ("POST", "/v2/dlq/retry") })
        {
            var answer = await _service.CallAsync(method, $"{target}?{query}");
            Assert.Equal(400, answer.Status);
            Assert.Contains(error, answer.Error, StringComparison.Ordinal);
        }
        Assert.Equal(3, ids.Count);
        Assert.Equal("0 1 2", await ListAsync(""));
    }

    // Three entries, told apart by the last character of their URLs.
    private async Task<List<DlqId>> AddAsync()
    {
        var ids = new List<DlqId>();
        for (var i = 0; i < 3; i++)
        {
            _service.Time.Advance(TimeSpan.FromSeconds(10));
            var text = i.ToString(CultureInfo.InvariantCulture);
            var message = _service.NewMessage("https://example.com/" + text, i == 1 ? "b" : "a") with
            {
                TopicName = "t" + text, ScheduleId = "s" + text, QueueName = "queue-" + text, CallerIp = "192.0.2." + text,
                FlowControl = new("f" + text, 1, null, 1),
            };
            ids.Add(await _service.AddDeadLetterAsync(message, status: i == 0 ? 0 : i == 1 ? 404 : 503, error: "error " + text));
        }
        return ids;
    }

    private async Task<string> ListAsync(string query)
    {
        var answer = await _service.CallAsync("GET", "/v2/dlq?" + query);
        Assert.Equal(200, answer.Status);
        Assert.Null(answer.Json["cursor"]);
        return string.Join(' ', answer.Json["messages"]!.AsArray().Select(entry => ((string)entry!["url"]!)[^1]));
    }

    /// <summary>protocol#dead-letters-that-failed-alike</summary>
    [Fact]
    public async Task Those_that_failed_alike_are_told_together()
    {
        await using var service = new TestService();
        foreach (var (path, status, error) in new[] { ("a", 503, "down"), ("b", 503, "down"), ("c", 500, "broken") })
        {
            service.Time.Advance(TimeSpan.FromSeconds(1));
            await service.AddDeadLetterAsync(service.NewMessage("https://example.com/" + path, path), status, error: error);
        }

        var groups = (await service.CallAsync("GET", "/v2/dlq/groups")).Json["groups"]!.AsArray();

        Assert.Equal($$"""{"host":"example.com","responseStatus":503,"error":"down","count":2,"latestAt":{{service.Now - 1_000}}}""", groups[0]!.ToJsonString());
        Assert.Equal(2, groups.Count);
        Assert.Equal(500, (int)Assert.Single((await service.CallAsync("GET", "/v2/dlq/groups?label=c")).Json["groups"]!.AsArray())!["responseStatus"]!);
        Assert.Equal(400, (await service.CallAsync("GET", "/v2/dlq/groups?labeel=c")).Status);
    }
}
