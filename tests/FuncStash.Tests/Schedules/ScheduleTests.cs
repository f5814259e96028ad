using System.Text;
using FuncStash.Cancelling;
using FuncStash.Messages;
using FuncStash.Schedules;
using FuncStash.Storage;
using FuncStash.UrlGroups;
using FuncStash.Wire;

namespace FuncStash.Tests.Schedules;

public sealed class ScheduleTests : IAsyncLifetime
{
    private readonly Service _service = new();

    private Scheduler Scheduler => _service.Get<Scheduler>();

    private ScheduleStore Schedules => _service.Get<ScheduleStore>();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task A_schedule_publishes_at_each_of_its_times_with_all_its_settings()
    {
        await CreateAsync("s", "https://example.com/a", "hello",
            ("Upstash-Delay", "10s"), ("Upstash-Retries", "7"), ("Upstash-Forward-X-One", "1"), ("Upstash-Label", "l"),
            ("Upstash-Callback", "https://example.com/cb"), ("Upstash-Callback-Retries", "2"), ("Upstash-Timeout", "5s"),
            ("Upstash-Method", "put"), ("Upstash-Not-Before", "1"), ("Upstash-Content-Based-Deduplication", "true"));

        Assert.Equal(0, (await TickAsync()).Published);
        await MinutesAsync(2);

        var messages = await _service.MessagesAsync();
        Assert.Equal([Minute(1), Minute(2)], messages.Select(m => m.Message.CreatedAt));
        Assert.All(messages, stored =>
        {
            var message = stored.Message;
            Assert.Equal(message.CreatedAt + 10_000, message.NotBefore);
            Assert.Equal(("s", "https://example.com/a", "PUT", 7, 5000),
                (message.ScheduleId, message.Url, message.Method, message.MaxRetries, message.TimeoutMs));
            Assert.Equal(["1"], message.Header["X-One"]!);
            Assert.Equal(["l"], message.Labels);
            Assert.Equal(["2"], message.Callback!.Settings["Upstash-Retries"]!);
            Assert.Equal("hello", Encoding.UTF8.GetString(message.Body));
        });
        var schedule = await Schedules.GetAsync("s");
        Assert.Equal((Minute(2), Minute(3)), (schedule!.LastAt, schedule.NextAt));
        Assert.Equal([messages[1].Id], schedule.LastMessages);
        Assert.Null(schedule.Claim);
    }

    [Fact]
    public async Task Two_ticks_at_once_publish_once()
    {
        await CreateAsync("s", "https://example.com/a");
        _service.Time.Advance(TimeSpan.FromSeconds(30));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _service.New<ScheduleTicker>().TickAsync(_service.Time.GetUtcNow())));

        Assert.Single(await _service.MessagesAsync());
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 15)]
    public async Task A_run_whose_ticker_was_killed_is_made_at_once_where_there_is_no_other_process(bool isShared, int waits)
    {
        WatchedStore? watched = null;
        await using var service = new Service(store => watched = new WatchedStore(store) { IsShared = isShared });
        await service.Get<Scheduler>().CreateAsync(Service.Request("https://example.com/a", "", ("Upstash-Cron", "* * * * *")));
        service.Time.Advance(TimeSpan.FromMinutes(1));
        watched!.Faults = commit => commit.Table == MessageRows.Table ? Fault.Before : Fault.None;
        Assert.Equal(0, (await service.Get<ScheduleTicker>().TickAsync(service.Time.GetUtcNow())).Published);
        watched.Faults = _ => Fault.None;
        service.Time.Advance(TimeSpan.FromMilliseconds(1));
        var restarted = service.New<ScheduleTicker>();

        for (var second = 0; second <= waits; second++, service.Time.Advance(TimeSpan.FromSeconds(1)))
        {
            var result = await restarted.TickAsync(service.Time.GetUtcNow());
            Assert.Equal(second == waits ? (1, 0) : (0, 1), (result.Published, result.Left));
        }
    }

    [Fact]
    public async Task After_a_downtime_there_is_one_run_of_the_latest_time_missed()
    {
        await CreateAsync("s", "https://example.com/a");
        _service.Time.Advance(TimeSpan.FromDays(3));

        await TickAsync();
        await TickAsync();

        Assert.Equal(Minute(3 * 24 * 60), Assert.Single(await _service.MessagesAsync()).Message.CreatedAt);
        Assert.Equal(Minute((3 * 24 * 60) + 1), (await Schedules.GetAsync("s"))!.NextAt);
    }

    [Fact]
    public async Task What_a_paused_schedule_misses_is_dropped()
    {
        await CreateAsync("s", "https://example.com/a");
        Assert.True(await Scheduler.PauseAsync("s"));
        Assert.True(await Scheduler.PauseAsync("s"));
        await MinutesAsync(3);
        Assert.Null((await Schedules.GetAsync("s"))!.NextAt);
        Assert.True(await Scheduler.ResumeAsync("s"));
        Assert.True(await Scheduler.ResumeAsync("s"));
        await TickAsync();
        Assert.Empty(await _service.MessagesAsync());

        await MinutesAsync(1);

        Assert.Equal(Minute(4), Assert.Single(await _service.MessagesAsync()).Message.CreatedAt);
    }

    [Fact]
    public async Task A_deleted_schedule_is_gone_with_its_index_entry_and_its_payload()
    {
        await CreateAsync("s", "https://example.com/a", new string('x', 300_000));
        var name = (await Schedules.GetAsync("s"))!.Spec.BodyName!;
        Assert.Equal(300_000, (await Schedules.BodyAsync((await Schedules.GetAsync("s"))!))!.Length);

        Assert.True(await Scheduler.DeleteAsync("s"));
        Assert.False(await Scheduler.DeleteAsync("s"));
        Assert.False(await Scheduler.PauseAsync("s"));
        Assert.False(await Scheduler.ResumeAsync("s"));

        Assert.Null(await _service.Store.Bodies.GetAsync(name));
        Assert.Empty(await Schedules.ListAsync());
        await MinutesAsync(1);
        Assert.Empty(await _service.MessagesAsync());
    }

    [Fact]
    public async Task A_group_is_what_it_is_when_the_schedule_fires()
    {
        await Assert.ThrowsAsync<QStashException>(() => CreateAsync("s", "g"));
        await ChangeGroupAsync("https://example.com/1");
        await CreateAsync("s", "g");
        await ChangeGroupAsync("https://example.com/2");
        await MinutesAsync(1);

        Assert.Equal(["https://example.com/1", "https://example.com/2"],
            (await _service.MessagesAsync()).Select(m => m.Message.Url).Order());
        Assert.Equal(2, (await Schedules.GetAsync("s"))!.LastMessages.Count);
    }

    [Fact]
    public async Task A_schedule_whose_group_is_gone_says_so_and_goes_on()
    {
        await ChangeGroupAsync("https://example.com/1");
        await CreateAsync("s", "g");
        await CreateAsync("other", "https://example.com/other");
        await _service.Get<UrlGroupStore>().DeleteAsync("g");
        await MinutesAsync(1);
        var failed = await Schedules.GetAsync("s");
        Assert.Equal(("topic g not found", Minute(1), Minute(2)), (failed!.Error, failed.LastAt, failed.NextAt));
        Assert.Equal("https://example.com/other", Assert.Single(await _service.MessagesAsync()).Message.Url);

        await ChangeGroupAsync("https://example.com/1");
        await MinutesAsync(1);

        Assert.Null((await Schedules.GetAsync("s"))!.Error);
        Assert.Contains(await _service.MessagesAsync(), m => m.Message.ScheduleId == "s");
    }

    [Fact]
    public async Task A_schedule_that_nobody_can_read_harms_no_other_and_is_not_tried_all_the_time()
    {
        await CreateAsync("bad", "https://example.com/bad");
        await CreateAsync("good", "https://example.com/good");
        var partition = ScheduleRows.Partition("bad");
        var row = await _service.Store.Tables.GetAsync(ScheduleRows.Table, partition, ScheduleRows.Key("bad"));
        var broken = row! with { Values = new Dictionary<string, object>(row.Values) { ["Spec"] = "{"u8.ToArray() } };
        await _service.Store.Tables.CommitAsync(new Commit(ScheduleRows.Table, partition, [new Write.Upsert(broken)]));
        _service.Time.Advance(TimeSpan.FromSeconds(30));

        var first = await TickAsync();
        var second = await TickAsync();

        Assert.Equal((1, 1), (first.Published, first.Left));
        Assert.Equal((0, 1), (second.Published, second.Left));
        Assert.Equal("https://example.com/good", Assert.Single(await _service.MessagesAsync()).Message.Url);
        Assert.Single(_service.Log.Lines, line => line.Contains("schedule bad", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Runs_for_a_queue_are_enqueued()
    {
        await CreateAsync("s", "https://example.com/a", "", ("Upstash-Queue-Name", "q"));
        await MinutesAsync(1);

        Assert.Equal("q", Assert.Single(await _service.MessagesAsync()).Message.QueueName);
    }

    [Fact]
    public async Task The_last_run_tells_how_far_its_messages_are()
    {
        await CreateAsync("s", "https://example.com/a");
        await MinutesAsync(1);
        var schedule = (await Schedules.GetAsync("s"))!;
        var id = schedule.LastMessages[0];
        Assert.Equal("IN_PROGRESS", Assert.Single(await _service.Get<LastRun>().StatesAsync(schedule)).Value);

        await _service.Get<Cancellation>().CancelAsync(id);

        Assert.Equal(new(id.Text, "FAIL"), Assert.Single(await _service.Get<LastRun>().StatesAsync(schedule)));
    }

    [Theory]
    [InlineData("https://example.com", null, "Upstash-Cron")]
    [InlineData("https://example.com", "nonsense", "Invalid cron expression")]
    [InlineData("ftp://example.com", "* * * * *", "scheme")]
    public async Task What_could_never_be_published_is_refused(string destination, string? cron, string reason)
    {
        var request = Service.Request(destination, "", cron is null ? [] : [("Upstash-Cron", cron)]);

        var refusal = await Assert.ThrowsAsync<QStashException>(() => Scheduler.CreateAsync(request).AsTask());

        Assert.Equal(400, refusal.Status);
        Assert.Contains(reason, refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_next_due_time_is_the_earliest_of_all_schedules()
    {
        Assert.Null((await TickAsync()).NextDue);
        for (var i = 0; i < 20; i++)
            await Scheduler.CreateAsync(Service.Request("https://example.com", "", ("Upstash-Cron", $"{20 + i} 13 * * *")));

        Assert.Equal(new DateTimeOffset(2026, 1, 1, 13, 20, 0, TimeSpan.Zero), (await TickAsync()).NextDue);
    }

    private static long Minute(int number) =>
        new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).AddMinutes(number).ToUnixTimeMilliseconds();

    private async Task CreateAsync(string id, string destination, string body = "", params (string Name, string Value)[] headers) =>
        Assert.Equal(id, await Scheduler.CreateAsync(Service.Request(
            destination, body, [("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", id), .. headers])));

    private ValueTask<bool> ChangeGroupAsync(string url) => _service.Get<UrlGroupStore>().ChangeAsync(
        "g", old => (old ?? new UrlGroup("g", 0, 0, [])).With([new Endpoint(null, url)]));

    private Task<TickResult> TickAsync() => _service.Get<ScheduleTicker>().TickAsync(_service.Time.GetUtcNow());

    private async Task MinutesAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _service.Time.Advance(TimeSpan.FromMinutes(1));
            await TickAsync();
        }
    }
}
