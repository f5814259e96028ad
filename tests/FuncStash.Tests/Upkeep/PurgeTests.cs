using System.Text;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Upkeep;
using FuncStash.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace FuncStash.Tests.Upkeep;

public sealed class PurgeTests : IAsyncLifetime
{
    private static readonly string s_big = new('x', 300_000);

    private readonly Service _service = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task An_ended_message_goes_with_its_events_its_payload_and_its_day()
    {
        var id = await PublishAsync(s_big);
        await CancelAsync(id);
        _service.Time.Advance(TimeSpan.FromDays(7));
        Assert.Equal(0, (await PurgeAsync()).Removed);
        var name = await BodyNameAsync(id);
        Assert.NotNull(await _service.Store.Bodies.GetAsync(name));

        _service.Time.Advance(TimeSpan.FromDays(1));
        var result = await PurgeAsync();

        // The message, CANCEL_REQUESTED and CANCELED.
        Assert.Equal(new PurgeResult(3, More: false), result);
        Assert.Null(await _service.Store.Bodies.GetAsync(name));
        Assert.Null(await _service.Get<MessageStore>().GetAsync(id));
        Assert.Empty(await Days.ListAsync(_service.Store.Tables, default));
        Assert.Empty((await _service.Get<LogReader>().ListAsync(new LogQuery())).Entries);
    }

    [Fact]
    public async Task A_live_message_stays_and_so_does_its_day()
    {
        var live = await PublishAsync(s_big, ("Upstash-Delay", "30d"));
        var ended = await PublishAsync("");
        await CancelAsync(ended);
        _service.Time.Advance(TimeSpan.FromDays(20));

        await PurgeAsync();

        Assert.Equal(live, Assert.Single(await _service.MessagesAsync()).Id);
        Assert.NotNull(await _service.Store.Bodies.GetAsync(await BodyNameAsync(live)));
    }

    [Fact]
    public async Task A_message_that_lived_long_is_kept_from_its_end_on()
    {
        var id = await PublishAsync("", ("Upstash-Delay", "30d"));
        _service.Time.Advance(TimeSpan.FromDays(20));
        await CancelAsync(id);
        _service.Time.Advance(TimeSpan.FromDays(6));
        await PurgeAsync();
        Assert.NotNull(await _service.Get<MessageStore>().GetAsync(id));

        _service.Time.Advance(TimeSpan.FromDays(2));
        await PurgeAsync();

        Assert.Null(await _service.Get<MessageStore>().GetAsync(id));
        Assert.Empty(await Days.ListAsync(_service.Store.Tables, default));
    }

    [Fact]
    public async Task Marks_of_ids_that_are_created_once_go_too()
    {
        var request = Service.Request("https://example.com", "") with { Cause = ("cause", _service.Now) };
        await CancelAsync((await _service.Get<Publisher>().PublishAsync(request)).Messages[0].Id);
        _service.Time.Advance(TimeSpan.FromDays(9));

        Assert.Equal(4, (await PurgeAsync()).Removed);
    }

    [Fact]
    public async Task Deduplication_ids_go_when_their_window_is_over()
    {
        for (var i = 0; i < 30; i++)
            await PublishAsync("", ("Upstash-Deduplication-Id", $"id{i}"));
        _service.Time.Advance(TimeSpan.FromMinutes(9));
        await PublishAsync("", ("Upstash-Deduplication-Id", "late"));
        Assert.Equal(0, (await PurgeAsync()).Removed);

        _service.Time.Advance(TimeSpan.FromMinutes(2));

        Assert.Equal(30, (await PurgeAsync()).Removed);
        var again = await _service.Get<Publisher>().PublishAsync(
            Service.Request("https://example.com", "", ("Upstash-Deduplication-Id", "late")));
        Assert.True(again.Messages[0].Deduplicated);
    }

    [Fact]
    public async Task Dead_letters_go_after_their_own_retention_with_their_payloads()
    {
        var letters = _service.Get<DeadLetterStore>();
        var old = await FailAsync(s_big);
        var name = (await letters.GetAsync(old))!.Message.BodyName!;
        _service.Time.Advance(TimeSpan.FromDays(29));
        var young = await FailAsync(s_big);
        _service.Time.Advance(TimeSpan.FromDays(2));

        await PurgeAsync();

        Assert.Null(await letters.GetAsync(old));
        Assert.Null(await _service.Store.Bodies.GetAsync(name));
        Assert.Equal(s_big.Length, (await letters.BodyAsync((await letters.GetAsync(young))!)).Length);
    }

    [Fact]
    public async Task Upkeep_goes_on_at_once_until_nothing_is_overdue()
    {
        for (var i = 0; i < 120; i++)
            await CancelAsync(await PublishAsync(""));
        _service.Time.Advance(TimeSpan.FromDays(9));
        var purge = new Purge(_service.Store, _service.Get<RunPurge>(), _service.Get<Watchlist>(), new FuncStashOptions(), new HastyClock(_service.Time));

        await new UpkeepService(
            _service.Store, _service.Get<UpkeepTurns>(), purge, _service.Get<IndexPurge>(), _service.Get<BodySweep>(), _service.Get<Sweep>(), _service.Get<RunSweep>(),
            _service.Get<GateSweep>(), _service.Get<BucketWatch>(), _service.Time, NullLogger<UpkeepService>.Instance).RunAsync();

        Assert.Empty(await Days.ListAsync(_service.Store.Tables, default));
    }

    [Fact]
    public async Task A_run_ends_when_its_turn_is_over_and_the_next_goes_on()
    {
        for (var i = 0; i < 400; i++)
            await CancelAsync(await PublishAsync(""));
        _service.Time.Advance(TimeSpan.FromDays(9));
        var purge = new Purge(_service.Store, _service.Get<RunPurge>(), _service.Get<Watchlist>(), new FuncStashOptions(), new HastyClock(_service.Time));
        var (removed, runs) = (0, 0);
        PurgeResult result;
        do
        {
            result = await purge.RunAsync();
            removed += result.Removed;
            Assert.True(++runs < 1_000);
        }
        while (result.More);

        Assert.Equal(1_200, removed);
        Assert.True(runs > 1);
        Assert.Empty(await Days.ListAsync(_service.Store.Tables, default));
    }

    [Fact]
    public async Task Days_whose_messages_still_wait_do_not_use_up_every_turn()
    {
        for (var day = 0; day < 3; day++)
        {
            await PublishAsync("", ("Upstash-Delay", "300d"));
            _service.Time.Advance(TimeSpan.FromDays(1));
        }
        var id = await PublishAsync("");
        await CancelAsync(id);
        _service.Time.Advance(TimeSpan.FromDays(9));
        // Long enough to look through one day.
        var purge = new Purge(_service.Store, _service.Get<RunPurge>(), _service.Get<Watchlist>(), new FuncStashOptions(), new HastyClock(_service.Time))
        {
            Turn = TimeSpan.FromSeconds(20),
        };

        for (var runs = 0; (await purge.RunAsync()).More; runs++)
            Assert.True(runs < 50, "it never comes to the end");

        Assert.Null(await _service.Get<MessageStore>().GetAsync(id));
        Assert.Equal(3, (await _service.MessagesAsync()).Count);
    }

    [Fact]
    public async Task Several_at_once_remove_everything_once()
    {
        for (var i = 0; i < 120; i++)
            await CancelAsync(await PublishAsync(i % 40 == 0 ? s_big : ""));
        _service.Time.Advance(TimeSpan.FromDays(9));

        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(PurgeAsync)));

        Assert.Equal(360, results.Sum(r => r.Removed));
        Assert.Empty(await _service.MessagesAsync());
        Assert.Empty(await Days.ListAsync(_service.Store.Tables, default));
    }

    private Task<PurgeResult> PurgeAsync() => _service.Get<Purge>().RunAsync();

    private async Task<MessageId> PublishAsync(string body, params (string Name, string Value)[] headers) =>
        (await _service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", body, headers))).Messages[0].Id;

    private async Task<string> BodyNameAsync(MessageId id) => (await _service.Get<MessageStore>().GetAsync(id))!.Message.BodyName!;

    private async Task CancelAsync(MessageId id) => Assert.True(await _service.Get<Cancellation>().CancelAsync(id));

    private async Task<DlqId> FailAsync(string body)
    {
        var id = await PublishAsync(body);
        var stored = (await _service.Get<MessageStore>().GetAsync(id))!;
        var letter = DeadLetter.Of(DlqId.New(_service.Now), stored.Message, new AttemptOutcome.NoResponse("none"), "none");
        await _service.Store.Tables.CommitAsync(
            (await _service.Get<DeadLetterStore>().AddingAsync(letter, Encoding.UTF8.GetBytes(body), default)).Commit);
        return letter.Id;
    }

    // A third of a second is over at each look, so that a turn is 120 looks: a few more than finding nothing takes.
    private sealed class HastyClock(TimeProvider inner) : TimeProvider
    {
        private long _looks;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override long TimestampFrequency => 3;

        public override long GetTimestamp() => Interlocked.Increment(ref _looks);

        // Pauses are over at once.
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
