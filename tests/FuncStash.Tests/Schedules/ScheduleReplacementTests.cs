using FuncStash.Schedules;
using FuncStash.UrlGroups;

namespace FuncStash.Tests.Schedules;

/// <summary>
/// A schedule created again with its id, as every deployment of a program does: its settings are replaced, and what its
/// operator did and what it has done stay.
/// </summary>
public sealed class ScheduleReplacementTests : IAsyncDisposable
{
    private readonly Service _service = new();

    private Scheduler Scheduler => _service.Get<Scheduler>();

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task A_pause_survives_until_its_operator_ends_it()
    {
        await CreateAsync("https://example.com/a");
        await Scheduler.PauseAsync("s");

        await CreateAsync("https://example.com/b");
        await CreateAsync("https://example.com/c", cron: "0 0 * * *");
        await CreateAsync("https://example.com/d");
        await MinutesAsync(2);

        Assert.Equal((true, null), ((await GetAsync()).Paused, (await GetAsync()).NextAt));
        Assert.Empty(await _service.MessagesAsync());
        Assert.True(await Scheduler.ResumeAsync("s"));
        await MinutesAsync(1);
        Assert.Equal("https://example.com/d", Assert.Single(await _service.MessagesAsync()).Message.Url);
    }

    [Fact]
    public async Task Its_creation_and_its_runs_stay_and_its_settings_do_not()
    {
        await CreateAsync("https://example.com/a", "body", headers: [("Upstash-Delay", "10s"), ("Upstash-Forward-X-One", "1")]);
        var createdAt = (await GetAsync()).Spec.CreatedAt;
        await MinutesAsync(1);
        var first = await GetAsync();

        await CreateAsync("https://example.com/b", cron: "0 0 * * *");

        var second = await GetAsync();
        Assert.Equal((createdAt, first.LastAt), (second.Spec.CreatedAt, second.LastAt));
        Assert.NotNull(second.LastAt);
        Assert.Equal(first.LastMessages, second.LastMessages);
        Assert.Equal(("https://example.com/b", "0 0 * * *", 0), (second.Spec.Destination, second.Spec.Cron, second.Body.Length));
        Assert.Null(second.Spec.Settings.Delay);
        Assert.False(second.Spec.Settings.Header.Contains("X-One"));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), second.NextAt);
    }

    [Fact]
    public async Task A_run_that_failed_is_told_until_the_next_one()
    {
        await _service.Get<UrlGroupStore>().ChangeAsync("g", _ => new UrlGroup("g", 0, 0, [new(null, "https://example.com/1")]));
        await CreateAsync("g");
        await _service.Get<UrlGroupStore>().DeleteAsync("g");
        await MinutesAsync(1);

        await CreateAsync("https://example.com/b");
        Assert.Equal("topic g not found", (await GetAsync()).Error);
        await MinutesAsync(1);
        Assert.Null((await GetAsync()).Error);
    }

    [Fact]
    public async Task A_run_that_is_due_when_the_schedule_is_replaced_is_not_lost()
    {
        await CreateAsync("https://example.com/a");
        _service.Time.Advance(TimeSpan.FromSeconds(31));

        await CreateAsync("https://example.com/b");
        await TickAsync();
        await TickAsync();

        var message = Assert.Single(await _service.MessagesAsync()).Message;
        Assert.Equal(("https://example.com/b", Minute(1)), (message.Url, message.CreatedAt));
    }

    [Fact]
    public async Task A_run_that_is_due_by_an_expression_that_is_gone_is_dropped()
    {
        await CreateAsync("https://example.com/a");
        _service.Time.Advance(TimeSpan.FromSeconds(31));

        await CreateAsync("https://example.com/b", cron: "0 0 * * *");
        await TickAsync();

        Assert.Empty(await _service.MessagesAsync());
    }

    // Its first step is to pause the schedule.
    [Fact]
    public async Task A_delete_that_died_half_way_is_no_pause()
    {
        await CreateAsync("https://example.com/a");
        await CutOffDeleteAsync();
        Assert.Equal((true, true), ((await GetAsync()).Paused, (await GetAsync()).Deleting));

        await CreateAsync("https://example.com/b");
        await MinutesAsync(1);
        Assert.Equal("https://example.com/b", Assert.Single(await _service.MessagesAsync()).Message.Url);

        await CutOffDeleteAsync();
        await Scheduler.PauseAsync("s");
        await CreateAsync("https://example.com/c");
        Assert.Equal((true, false), ((await GetAsync()).Paused, (await GetAsync()).Deleting));
        Assert.True(await Scheduler.DeleteAsync("s"));
        Assert.Empty(await _service.Get<ScheduleStore>().ListAsync());
        await CreateAsync("https://example.com/d");
        Assert.False((await GetAsync()).Paused);
    }

    private async Task CutOffDeleteAsync()
    {
        var stage = new Stage(_service.Store, 0);
        await using var other = new Service(_ => stage, store: _service.Store);
        stage.Enter(() => other.Get<Scheduler>().DeleteAsync("s").AsTask());
        // A read and the change; it never comes to the next one.
        await stage.PlayAsync(2);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        while (!(await GetAsync()).Deleting)
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, timeout.Token);
    }

    private async Task<Schedule> GetAsync() => (await _service.Get<ScheduleStore>().GetAsync("s"))!;

    private static long Minute(int number) =>
        new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero).AddMinutes(number).ToUnixTimeMilliseconds();

    private async Task CreateAsync(string destination, string body = "", string cron = "* * * * *", params (string, string)[] headers) =>
        await Scheduler.CreateAsync(Service.Request(destination, body, [("Upstash-Cron", cron), ("Upstash-Schedule-Id", "s"), .. headers]));

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
