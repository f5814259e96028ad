using FuncStash.Functions.Delivery;
using FuncStash.Functions.Waiting;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Functions.Tests.Waiting;

/// <summary>What is due later waits in buckets, which alarms wake: every message once, none early, whatever happens.</summary>
public sealed partial class WakingTests
{
    private static readonly TimeSpan s_year = TimeSpan.FromDays(365);

    [Fact]
    public async Task All_that_is_due_in_one_minute_is_woken_by_one_alarm_and_none_is_early()
    {
        await using var stage = await StartAsync();
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        var ids = new List<string>();
        for (var i = 0; i < 90; i++)
            ids.Add(await stage.PublishAsync("/bucket", NotBefore(due.AddSeconds(i % 4))));
        Assert.Equal((90, 0), (await stage.WaitingAsync(), await stage.Store.Queues.CountAsync(WorkItem.Queue)));

        stage.Clock.JumpTo(Stage.AlarmOf(due));
        var alarm = await stage.EndedAsync(Assert.Single(await stage.OrchestrationsAsync()));
        Assert.Null(alarm!.FailureDetails);
        Assert.Equal((0, 90), (await stage.WaitingAsync(), await stage.Store.Queues.CountAsync(WorkItem.Queue)));
        Assert.Empty(stage.Receiver.All);
        stage.Clock.JumpTo(due.AddSeconds(-1));
        var offset = stage.Clock.GetUtcNow() - TimeProvider.System.GetUtcNow();
        var requests = await stage.Receiver.WaitForAsync("/bucket", 90);

        Assert.Equal(ids.Order(StringComparer.Ordinal), requests.Select(request => request.MessageId).Order(StringComparer.Ordinal));
        Assert.All(requests, request => Assert.True(request.At + offset >= due.AddSeconds(ids.IndexOf(request.MessageId) % 4).AddMilliseconds(-5)));
        Assert.Single(stage.Woken);
        // What is left of it goes once the minute is over.
        stage.Clock.JumpTo(due.AddMinutes(5));
        await stage.UpkeepAsync();
        Assert.Empty(await stage.OrchestrationsAsync());
        Assert.Empty(await stage.Store.Tables.QueryAsync("waits", "minutes", RowRange.Prefix(""), 10));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(365)]
    public async Task Delays_beyond_what_a_queue_can_hold_wait_in_a_row(int days)
    {
        await using var stage = await StartAsync();
        var due = stage.Clock.GetUtcNow().AddDays(days);
        var id = await stage.PublishAsync("/far", ("Upstash-Delay", $"{days}d"));
        // No alarm waits for so long.
        Assert.Empty(await stage.OrchestrationsAsync());
        stage.Clock.JumpTo(due.AddDays(-1));
        await stage.UpkeepAsync();
        Assert.Equal((1, 0), (await stage.WaitingAsync(), (await stage.OrchestrationsAsync()).Count));

        stage.Clock.JumpTo(Stage.AlarmOf(due).AddSeconds(1));
        await stage.UpkeepAsync();
        await stage.EndedAsync(Assert.Single(await stage.OrchestrationsAsync()));
        Assert.Equal(0, await stage.WaitingAsync());
        AssertSent(stage, id);
        stage.Clock.JumpTo(due);

        Assert.Equal(id, (await stage.Receiver.OneAsync("/far")).MessageId);
    }

    [Fact]
    public async Task A_retry_after_days_waits_in_a_row_that_is_written_before_the_attempt_is_settled()
    {
        await using var stage = await StartAsync();
        stage.Receiver.Answers("/days", Answer.Of(503, "no"), Answer.Ok);
        var rows = -1;
        stage.App.Store.KilledAfter = commit =>
        {
            if (commit.Writes.OfType<Write.Replace>().Any(write => write.Entity.Text("State") == "RETRY"))
                rows = stage.WaitingAsync().GetAwaiter().GetResult();
            return false;
        };
        var id = await stage.PublishAsync("/days", ("Upstash-Retry-Delay", "864000000"));
        await stage.StatesAsync(id, "RETRY");
        await stage.QuietAsync();

        Assert.Equal((1, 1), (rows, await stage.WaitingAsync()));
        stage.Clock.Jump(TimeSpan.FromDays(10));
        await stage.UpkeepAsync();

        var requests = await stage.Receiver.WaitForAsync("/days", 2);
        Assert.Equal([(id, "0"), (id, "1")], requests.Select(request => (request.MessageId, request.Header("upstash-retried"))));
        Assert.Equal(0, await stage.WaitingAsync());
    }

    [Fact]
    public async Task An_alarm_that_could_not_be_set_or_failed_is_made_good_by_upkeep()
    {
        await using var stage = await StartAsync();
        stage.Wake = _ => throw new InvalidOperationException("no storage");
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        var id = await stage.PublishAsync("/silent", NotBefore(due));
        stage.Clock.JumpTo(due.AddSeconds(1));

        await stage.UpkeepAsync();

        Assert.Equal(id, (await stage.Receiver.OneAsync("/silent")).MessageId);
        Assert.Equal(0, await stage.WaitingAsync());
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_over_many_minutes_leaves_none_of_them_behind()
    {
        await using var stage = await StartAsync();
        for (var i = 5; i < 90; i += 7)
            await stage.PublishAsync("/jump", ("Upstash-Delay", $"{i}m"));

        stage.Clock.Jump(TimeSpan.FromDays(2));
        await stage.UpkeepAsync();

        await stage.Receiver.WaitForAsync("/jump", 13);
        Assert.Equal(0, await stage.WaitingAsync());
    }

    [Fact]
    public async Task A_clock_that_is_set_back_after_the_alarm_makes_nothing_early()
    {
        await using var stage = await StartAsync();
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        var id = await stage.PublishAsync("/back", NotBefore(due));
        stage.Clock.JumpTo(Stage.AlarmOf(due));
        await stage.EndedAsync(Assert.Single(await stage.OrchestrationsAsync()));
        AssertSent(stage, id);

        // The queue gives the ticket, and it is not time: another queue's clock, or this one's.
        stage.Clock.JumpTo(due.AddMinutes(-3));
        await stage.Get<DeliveryTrigger>().RunAsync($"{id}|0|{Ms(due)}");

        Assert.Empty(stage.Receiver.All);
        stage.Clock.JumpTo(due);
        await stage.Receiver.OneAsync("/back");
        await stage.QuietAsync();
        Assert.Single(stage.Receiver.All);
    }

    [Fact]
    public async Task An_alarm_that_rings_on_a_machine_whose_clock_is_behind_rings_again()
    {
        await using var stage = await StartAsync();
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        await stage.PublishAsync("/behind", NotBefore(due));

        await Assert.ThrowsAsync<InvalidOperationException>(() => stage.Get<WakeActivity>().RunAsync(new(Ms(due), null)));

        Assert.Equal(1, await stage.WaitingAsync());
    }

    [Fact]
    public async Task A_bucket_of_many_thousand_is_woken_by_an_activity_a_shard()
    {
        await using var stage = await StartAsync();
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        var publisher = stage.Get<Publisher>();
        var settings = new PublishSettings { NotBefore = due.ToUnixTimeSeconds() };
        for (var i = 0; i < 60; i++)
        {
            await publisher.PublishAsync([.. Enumerable.Range(0, 100).Select(n => new PublishRequest(stage.Receiver.Url("/many"), settings, []))]);
        }
        Assert.Equal(6_000, await stage.WaitingAsync());
        stage.Clock.JumpTo(Stage.AlarmOf(due));

        Assert.Null((await stage.EndedAsync(Assert.Single(await stage.OrchestrationsAsync())))!.FailureDetails);

        Assert.Equal((0, 6_000), (await stage.WaitingAsync(), await stage.Store.Queues.CountAsync(WorkItem.Queue)));
        var shards = stage.Woken.Where(what => what.Shard is not null).Select(what => what.Shard).ToList();
        Assert.InRange(shards.Count, 2, 16);
        Assert.Equal(shards.Count, shards.Distinct().Count());
        stage.Clock.JumpTo(due);
        await stage.Receiver.WaitForAsync("/many", 6_000, TimeSpan.FromSeconds(60));
    }

    private const string MessagesTable = "messages";

    // In one bucket: no more in a second than one partition takes.
    private static async Task PublishAsync(Stage stage, int count, string path, DateTimeOffset due)
    {
        for (var i = 0; i < count; i++)
        {
            if (i % 90 == 0)
                stage.Clock.Jump(TimeSpan.FromSeconds(1));
            await stage.PublishAsync(path, NotBefore(due));
        }
    }

    private static void AssertSent(Stage stage, string id) =>
        Assert.StartsWith(id, Assert.Single(stage.App.Store.Sent, text => text.StartsWith("msg_", StringComparison.Ordinal)), StringComparison.Ordinal);

    // So far behind that every alarm rings at once for Durable, whose clock does not jump; and then its activity waits for this one.
    private static async Task<Stage> StartAsync()
    {
        var stage = await Stage.StartAsync();
        stage.Clock.Jump(-s_year - TimeSpan.FromDays(30));
        stage.Wake = async what =>
        {
            await Stage.UntilAsync(() => Task.FromResult(Ms(stage.Clock.GetUtcNow()) >= Ms(Stage.AlarmOf(what.Minute))));
            return await stage.Get<WakeActivity>().RunAsync(what);
        };
        return stage;
    }

    private static DateTimeOffset Minute(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(Ms(time) / 60_000 * 60_000);

    private static long Ms(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private static (string, string) NotBefore(DateTimeOffset due) => ("Upstash-Not-Before", $"{due.ToUnixTimeSeconds()}");
}
