using System.Globalization;
using FuncStash.Messages;

namespace FuncStash.Tests.Messages;

public sealed class BulkCancellationTests : IAsyncDisposable
{
    private const string Url = "https://example.com/hook";
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task Ids_in_the_query_or_the_body_cancel_those_and_no_others()
    {
        var (a, b, c, other) = (await DelayedAsync(), await DelayedAsync(), await DelayedAsync(), await DelayedAsync());

        Assert.Equal(2, await CancelAsync($"?messageIds={a}&messageIds={b}&messageIds=msg_unknown&label=ignored"));
        Assert.Equal(1, await CancelAsync("", $$"""{"messageIds":["{{c}}","{{a}}"]}"""));

        Assert.Equal(MessageState.Canceled, (await _service.MessageAsync(c))!.Progress.State);
        Assert.False((await _service.MessageAsync(other))!.Ended);
    }

    [Fact]
    public async Task A_message_id_is_a_filter_like_the_others()
    {
        var (a, _) = (await DelayedAsync(), await DelayedAsync());
        Assert.Equal(0, await CancelAsync($"?messageId={a}&label=none"));
        Assert.Equal(1, await CancelAsync($"?messageId={a}"));
    }

    [Fact]
    public async Task Comma_separated_ids_are_one_each() =>
        Assert.Equal(2, await CancelAsync($"?messageIds={await DelayedAsync()},{await DelayedAsync()}"));

    [Theory]
    [InlineData("", "")]
    [InlineData("", """{"messageIds":[]}""")]
    [InlineData("", """{"messageIds":null}""")]
    [InlineData("?count=100", "")]
    public async Task Nothing_named_cancels_everything(string query, string body)
    {
        for (var i = 0; i < 40; i++)
            await DelayedAsync();

        Assert.Equal(40, await CancelAsync(query, body));
        Assert.Equal(0, await CancelAsync(query, body));
    }

    [Theory]
    [InlineData("label=a", 2)]
    [InlineData("label=a&label=b", 3)]
    [InlineData("label=a,b", 3)]
    [InlineData("label=none", 0)]
    [InlineData("url=https%3A%2F%2Fexample.com%2Fhook", 2)]
    [InlineData("host=example.org", 1)]
    [InlineData("path=%2Fhook", 2)]
    [InlineData("path=%2Fhook&label=b", 1)]
    [InlineData("flowControlKey=key-1", 1)]
    [InlineData("search=KEY-1", 1)]
    [InlineData("search=hook", 2)]
    [InlineData("callerIp=192.0.2.1", 0)]
    [InlineData("callerIP=192.0.2.1", 0)]
    [InlineData("topicName=none", 0)]
    [InlineData("queueName=none", 0)]
    [InlineData("scheduleId=none", 0)]
    [InlineData("label=a&count=1", 1)]
    [InlineData("api=llm", 0)]
    [InlineData("label=a&cursor=whatever", 2)]
    public async Task Filters_must_all_match_and_values_of_one_are_alternatives(string query, int cancelled)
    {
        await DelayedAsync(Url, ("Upstash-Label", "a,x"));
        await DelayedAsync(Url, ("Upstash-Label", "b"));
        await DelayedAsync("https://example.org/other", ("Upstash-Label", "a"));
        await DelayedAsync("https://other.example.com:8443/", ("Upstash-Flow-Control-Key", "key-1"),
            ("Upstash-Flow-Control-Value", "rate=1"));

        Assert.Equal(cancelled, await CancelAsync("?" + query));
    }

    [Fact]
    public async Task Filters_may_stand_in_the_body()
    {
        await DelayedAsync(Url, ("Upstash-Label", "a"));
        await DelayedAsync(Url, ("Upstash-Label", "a"));
        await DelayedAsync(Url, ("Upstash-Label", "b"));

        Assert.Equal(2, await CancelAsync("", """{"label":["a","b"],"count":2}"""));
        Assert.Equal(1, await CancelAsync("", """{"url":"https://example.com/hook"}"""));
    }

    [Fact]
    public async Task Dates_bound_the_creation_inclusively_over_days()
    {
        var times = new List<long>();
        for (var day = 0; day < 3; day++)
        {
            times.Add(_service.Now);
            await DelayedAsync();
            _service.Time.Advance(TimeSpan.FromHours(23));
        }

        Assert.Equal(0, await CancelAsync(Range(times[0] + 1, times[1] - 1)));
        Assert.Equal(1, await CancelAsync(Range(times[1], times[1])));
        Assert.Equal(1, await CancelAsync(Range(times[1], times[2])));
        Assert.Equal(1, await CancelAsync("?toDate=" + times[2].ToString(CultureInfo.InvariantCulture)));

        static string Range(long from, long to) => string.Create(CultureInfo.InvariantCulture, $"?fromDate={from}&toDate={to}");
    }

    [Fact]
    public async Task More_messages_than_a_page_are_found()
    {
        for (var i = 0; i < 3000; i++)
            await _service.Get<MessageStore>().CreateAsync([new(_service.NewMessage(Url, i % 3 == 0 ? "third" : null))]);

        Assert.Equal(1000, await CancelAsync("?label=third"));
        Assert.Equal(500, await CancelAsync("?count=9999"));
        Assert.Equal(1500, await CancelAsync(""));
    }

    [Theory]
    [InlineData("?labeel=a", "", "unknown parameter: labeel")]
    [InlineData("?order=latestFirst", "", "unknown parameter: order")]
    [InlineData("?label=", "", "invalid label")]
    [InlineData("?messageIds=", "", "invalid messageIds")]
    [InlineData("?count=0", "", "invalid count")]
    [InlineData("?count=many", "", "invalid count")]
    [InlineData("?fromDate=yesterday", "", "invalid fromDate")]
    [InlineData("", """{"labeel":"a"}""", "unknown parameter: labeel")]
    [InlineData("", """{"label":[]}""", "invalid label")]
    [InlineData("", """{"label":{}}""", "invalid label")]
    [InlineData("", """["msg_1"]""", "must be an object")]
    [InlineData("", "{", "invalid JSON body")]
    public async Task What_is_not_understood_is_refused_and_cancels_nothing(string query, string body, string error)
    {
        var id = await DelayedAsync();

        var answer = await _service.CallAsync("DELETE", "/v2/messages" + query, body);

        Assert.Equal(400, answer.Status);
        Assert.Contains(error, answer.Error, StringComparison.Ordinal);
        Assert.False((await _service.MessageAsync(id))!.Ended);
    }

    private Task<string> DelayedAsync(string url = Url, params (string, string)[] headers) =>
        _service.PublishAsync(url, "body", [("Upstash-Delay", "7d"), .. headers]);

    private async Task<int> CancelAsync(string query, string body = "")
    {
        var answer = await _service.CallAsync("DELETE", "/v2/messages" + query, body);
        Assert.Equal(200, answer.Status);
        // Go reads the answer as a map of whole numbers.
        Assert.All(answer.Json.AsObject(), property => Assert.True(property.Value!.AsValue().TryGetValue<int>(out _)));
        return (int)answer.Json["cancelled"]!;
    }
}
