using System.Globalization;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Tests.Logs;

public sealed class LogListTests : IAsyncDisposable
{
    private readonly TestService _service = new();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData("label=a", "2 0")]
    [InlineData("label=a&label=b", "2 1 0")]
    [InlineData("label=a,b", "2 1 0")]
    [InlineData("url=https%3A%2F%2Fexample.com%2F1", "1")]
    [InlineData("host=example.com", "2 1 0")]
    [InlineData("host=example.org", "")]
    [InlineData("path=%2F1&path=%2F2", "2 1")]
    [InlineData("topicName=t0,t2", "2 0")]
    [InlineData("search=EXAMPLE.com%2F1", "1")]
    [InlineData("search=t0&search=queue-2", "2 0")]
    [InlineData("search=none", "")]
    [InlineData("scheduleId=s1", "1")]
    [InlineData("queueName=queue-1&queueName=queue-2", "2 1")]
    [InlineData("callerIp=192.0.2.1", "1")]
    [InlineData("callerIP=192.0.2.1", "1")]
    [InlineData("flowControlKey=f0", "0")]
    [InlineData("label=a&path=%2F0", "0")]
    [InlineData("state=CREATED", "2 1 0")]
    [InlineData("state=DELIVERED", "")]
    [InlineData("order=earliestFirst", "0 1 2")]
    [InlineData("order=earliestFirst&label=a", "0 2")]
    [InlineData("order=latestFirst", "2 1 0")]
    [InlineData("api=llm", "2 1 0")]
    [InlineData("messageId=unknown", "")]
    [InlineData("messageIds=unknown,unknown2", "")]
    public async Task Filters_must_all_match_and_values_of_one_are_alternatives(string query, string expected)
    {
        await CreateAsync();
        Assert.Equal(expected, await ListAsync(query));
    }

    [Fact]
    public async Task Message_ids_name_single_messages()
    {
        var made = await CreateAsync();

        Assert.Equal("1", await ListAsync("messageId=" + made[1].Id));
        Assert.Equal("2 0", await ListAsync($"messageIds={made[0].Id}&messageIds={made[2].Id}"));
        Assert.Equal("0 2", await ListAsync($"messageIds={made[0].Id},{made[2].Id},unknown&order=earliestFirst"));
        Assert.Equal("2", await ListAsync($"messageIds={made[0].Id},{made[2].Id}&path=%2F2"));
    }

    [Fact]
    public async Task Dates_bound_the_time_of_the_event_inclusively()
    {
        var made = await CreateAsync();
        var (first, second) = (made[0].Id.CreatedAt, made[1].Id.CreatedAt);

        foreach (var order in new[] { "earliestFirst", "latestFirst" })
        {
            Assert.Equal("1", await ListAsync(Range(second, second) + order));
            Assert.Equal("", await ListAsync(Range(first + 1, second - 1) + order));
            Assert.Equal("", await ListAsync(Range(second, first) + order));
            Assert.Equal(order == "latestFirst" ? "1 0" : "0 1", await ListAsync(Range(first, second) + order));
        }

        static string Range(long from, long to) => string.Create(CultureInfo.InvariantCulture, $"fromDate={from}&toDate={to}&order=");
    }

    [Fact]
    public async Task A_bare_time_is_a_cursor()
    {
        var made = await CreateAsync();
        var cursor = made[1].Id.CreatedAt.ToString(CultureInfo.InvariantCulture);

        Assert.Equal("1 0", await ListAsync("cursor=" + cursor));
        Assert.Equal("2", await ListAsync("order=earliestFirst&cursor=" + cursor));
    }

    [Theory]
    [InlineData("labeel=a", "unknown parameter: labeel")]
    [InlineData("state=SLEEPING", "invalid state")]
    [InlineData("order=sideways", "invalid order")]
    [InlineData("cursor=x", "invalid cursor")]
    [InlineData("cursor=aaaaaaaaaaaaa|bbbbb|c", "invalid cursor")]
    [InlineData("count=0", "invalid count")]
    [InlineData("toDate=today", "invalid toDate")]
    public async Task What_is_not_understood_is_refused(string query, string error)
    {
        foreach (var target in new[] { "/v2/events?", "/v2/logs?" })
        {
            var answer = await _service.CallAsync("GET", target + query);
            Assert.Equal(400, answer.Status);
            Assert.Contains(error, answer.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task States_can_be_asked_for_in_every_spelling()
    {
        var id = await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        await _service.CallAsync("DELETE", "/v2/messages/" + id);
        // Nothing listens on port 1.
        await _service.PublishAsync("http://127.0.0.1:1/", "", ("Upstash-Retries", "1"));
        await _service.DeliverDueAsync();

        Assert.Equal("CANCELED", await StatesAsync("state=CANCELED"));
        Assert.Equal("CANCELED", await StatesAsync("state=CANCELLED"));
        Assert.Equal("CANCELED CANCEL_REQUESTED", await StatesAsync("state=CANCELED,CANCEL_REQUESTED"));
        Assert.Equal("RETRY ERROR ACTIVE", await StatesAsync("state=IN_PROGRESS"));
        Assert.Equal("CANCELED CANCEL_REQUESTED CREATED", await StatesAsync("messageId=" + id));
    }

    [Fact]
    public async Task Events_of_other_days_than_the_messages_are_found_by_its_id()
    {
        var id = await _service.PublishAsync("http://127.0.0.1:1/", "", ("Upstash-Delay", "3d"), ("Upstash-Retries", "0"));
        _service.Time.Advance(TimeSpan.FromDays(3));
        await _service.DeliverDueAsync();
        _service.Time.Advance(TimeSpan.FromDays(1));

        Assert.Equal("FAILED ERROR ACTIVE CREATED", await StatesAsync("messageId=" + id));
        Assert.Equal("CREATED ACTIVE ERROR FAILED", await StatesAsync("order=earliestFirst&messageId=" + id));
    }

    [Fact]
    public async Task Asking_for_one_message_reads_little_of_a_long_log()
    {
        var tables = new CountingStore();
        await using var service = new TestService(store: tables);
        for (var i = 0; i < 20; i++)
        {
            service.Time.Advance(TimeSpan.FromHours(1));
            await service.Get<MessageStore>().CreateAsync(
                [.. Enumerable.Range(0, 200).Select(_ => new NewMessage(service.NewMessage("https://example.com/")))]);
        }
        service.Time.Advance(TimeSpan.FromMinutes(1));
        var id = await service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        await service.CallAsync("DELETE", "/v2/messages/" + id);
        service.Time.Advance(TimeSpan.FromHours(1));
        await service.Get<MessageStore>().CreateAsync(
            [.. Enumerable.Range(0, 3000).Select(_ => new NewMessage(service.NewMessage("https://example.com/")))]);
        tables.RowsRead = 0;

        var answer = await service.CallAsync("GET", "/v2/events?messageId=" + id);

        Assert.Equal(3, answer.Json["events"]!.AsArray().Count);
        Assert.InRange(tables.RowsRead, 3, 20);
        await tables.DisposeAsync();
    }

    [Theory]
    [InlineData(null, "DELIVERED")]
    [InlineData(2, "DELIVERED")]
    [InlineData(null, "CANCELED")]
    public async Task So_does_asking_for_one_that_was_retried_for_days(int? abandoned, string end)
    {
        const int Retries = 7;
        var tables = new CountingStore();
        await using var service = new TestService(store: tables);
        var store = service.Get<MessageStore>();
        var message = service.NewMessage("https://example.com/") with { MaxRetries = Retries };
        await store.CreateAsync([new NewMessage(message)]);
        for (var attempt = 0; attempt <= Retries; attempt++)
        {
            for (var hour = 0; hour < 9; hour++)
            {
                service.Time.Advance(TimeSpan.FromHours(1));
                await store.CreateAsync([.. Enumerable.Range(0, 100).Select(_ => new NewMessage(service.NewMessage("https://example.com/")))]);
            }
            // An attempt that was written down as ACTIVE, and whose worker then died; the next goes on from there.
            if (attempt == abandoned)
                await BeginAsync(service, message.Id);
            var stored = await BeginAsync(service, message.Id);
            service.Time.Advance(TimeSpan.FromSeconds(30));
            if (attempt == Retries && end == "CANCELED")
            {
                await service.CallAsync("DELETE", "/v2/messages/" + message.Id);
                break;
            }
            AttemptOutcome outcome = attempt < Retries ? new AttemptOutcome.NoResponse("refused") : new AttemptOutcome.Response(200, HeaderMap.Empty, []);
            var verdict = Verdict.Of(message, attempt, outcome, service.Time.GetUtcNow(), random: 0);
            var step = Settlement.Of(stored, [], stored.Progress.ActiveSince!.Value, outcome, verdict, service.Now, service.Options);
            Assert.NotNull(await store.ApplyAsync(stored, step));
        }
        tables.RowsRead = 0;

        var events = (await service.CallAsync("GET", "/v2/events?messageId=" + message.Id)).Json["events"]!.AsArray();

        Assert.InRange(tables.RowsRead, 3, 60);
        Assert.Equal(end, (string)events[0]!["state"]!);
        Assert.Equal(1 + (Retries * 3) + 2 + (end == "CANCELED" ? 1 : 0) + (abandoned is null ? 0 : 1), events.Count);
        var paged = new List<string>();
        for (var cursor = ""; cursor is not null;)
        {
            var page = (await service.CallAsync("GET", $"/v2/events?count=4&order=earliestFirst&messageId={message.Id}{cursor}")).Json;
            paged.AddRange(page["events"]!.AsArray().Select(entry => entry!.ToJsonString()));
            cursor = page["cursor"] is { } next ? "&cursor=" + Uri.EscapeDataString((string)next!) : null;
        }
        Assert.Equal(events.Reverse().Select(entry => entry!.ToJsonString()), paged);
        await tables.DisposeAsync();
    }

    // As a worker does after a second of an attempt.
    private static async Task<StoredMessage> BeginAsync(TestService service, MessageId id)
    {
        service.Time.Advance(TimeSpan.FromMinutes(7));
        var store = service.Get<MessageStore>();
        var stored = (await store.GetAsync(id))!;
        var progress = stored.Progress.WithoutMark();
        var active = new LogEvent(id.Text, MessageState.Active, service.Now, progress.Events);
        return (await store.ApplyAsync(stored, new Transition(
            progress with { State = MessageState.Active, ActiveSince = service.Now, Events = progress.Events + 1 }, [active])))!;
    }

    private async Task<List<Message>> CreateAsync()
    {
        var made = new List<Message>();
        for (var i = 0; i < 3; i++)
        {
            _service.Time.Advance(TimeSpan.FromHours(11));
            var text = i.ToString(CultureInfo.InvariantCulture);
            made.Add(_service.NewMessage("https://example.com/" + text, i == 1 ? "b" : "a") with
            {
                TopicName = "t" + text, ScheduleId = "s" + text, QueueName = "queue-" + text, CallerIp = "192.0.2." + text,
                FlowControl = new("f" + text, 1, null, 1),
            });
            await _service.Get<MessageStore>().CreateAsync([new(made[^1])]);
        }
        return made;
    }

    private async Task<string> ListAsync(string query)
    {
        var answer = await _service.CallAsync("GET", "/v2/events?" + query);
        Assert.Equal(200, answer.Status);
        Assert.Null(answer.Json["cursor"]);
        return string.Join(' ', answer.Json["events"]!.AsArray().Select(entry => ((string)entry!["url"]!)[^1]));
    }

    private async Task<string> StatesAsync(string query) => string.Join(' ',
        (await _service.CallAsync("GET", "/v2/logs?" + query)).Json["logs"]!.AsArray().Select(entry => (string)entry!["state"]!));
}
