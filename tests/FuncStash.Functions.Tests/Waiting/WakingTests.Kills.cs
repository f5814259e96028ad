using FuncStash.Functions.Waiting;
using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Functions.Tests.Waiting;

// Hosts that die, or wake the same bucket.
public sealed partial class WakingTests
{
    [Fact]
    public async Task A_host_killed_between_the_row_and_the_commit_leaves_a_ticket_that_finds_nothing()
    {
        await using var stage = await StartAsync();
        stage.App.Store.KilledBefore = commit => commit.Table == MessagesTable;
        var (status, _) = await stage.SendAsync("POST", "/v2/publish/" + stage.Receiver.Url("/never"), ("Upstash-Delay", "10m"));
        Assert.NotEqual(200, status);
        Assert.Equal(1, await stage.WaitingAsync());
        stage.Start();

        stage.Clock.Jump(TimeSpan.FromMinutes(11));
        await stage.UpkeepAsync();
        await stage.QuietAsync();

        Assert.Equal(0, await stage.WaitingAsync());
        Assert.Empty(stage.Receiver.All);
    }

    [Fact]
    public async Task A_host_killed_after_the_row_was_written_and_the_message_stored_has_lost_nothing()
    {
        await using var stage = await StartAsync();
        stage.App.Store.KilledAfter = commit => commit.Table == MessagesTable;
        var (status, _) = await stage.SendAsync("POST", "/v2/publish/" + stage.Receiver.Url("/stored"), ("Upstash-Delay", "10m"));
        Assert.NotEqual(200, status);
        stage.Start();

        stage.Clock.Jump(TimeSpan.FromMinutes(11));
        await stage.UpkeepAsync();

        await stage.Receiver.OneAsync("/stored");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_host_killed_between_send_and_delete_delivers_nothing_twice(bool isDue)
    {
        await using var stage = await StartAsync();
        // What Durable would do is done by hand.
        stage.Wake = _ => Task.FromResult<int[]>([]);
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10)).AddSeconds(50);
        await PublishAsync(stage, 150, "/killed", due);
        var first = stage.App;
        // All tickets of the first hundred are sent, none of their rows is removed.
        first.Store.KilledBefore = commit => commit.Table == "waits" && commit.Writes.OfType<Write.Delete>().Any();
        stage.Clock.JumpTo(Stage.AlarmOf(due));
        await Assert.ThrowsAsync<KilledException>(() => first.Get<WakeActivity>().RunAsync(new(Ms(Minute(due)), null)));
        Assert.Equal((150, 99), (await stage.WaitingAsync(), await stage.Store.Queues.CountAsync(WorkItem.Queue)));
        var second = stage.Start();

        // While the claim holds, nobody else sends.
        await second.Get<WakeActivity>().RunAsync(new(Ms(Minute(due)), null));
        Assert.Equal(150, await stage.WaitingAsync());
        stage.Clock.JumpTo(isDue ? due.AddSeconds(1) : stage.Clock.GetUtcNow().AddSeconds(31));
        if (isDue)
            await stage.Receiver.WaitForAsync("/killed", 99);
        Assert.Equal(Waking.Done, await second.Get<BucketWaker>().WakeAsync(new(Ms(Minute(due)), 0)));
        Assert.Equal(0, await stage.WaitingAsync());
        stage.Clock.JumpTo(due.AddSeconds(2));

        await stage.Receiver.WaitForAsync("/killed", 150);
        await stage.QuietAsync();
        Assert.Equal(150, stage.Receiver.All.Select(request => request.MessageId).Distinct().Count());
        Assert.Equal(150, stage.Receiver.All.Count);
    }

    [Fact]
    public async Task Tickets_that_a_killed_host_did_not_send_are_sent_when_they_are_overdue()
    {
        await using var stage = await StartAsync();
        // What Durable would do is done by hand.
        stage.Wake = _ => Task.FromResult<int[]>([]);
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        for (var i = 0; i < 5; i++)
            await stage.PublishAsync("/unsent", NotBefore(due));
        // It has claimed the bucket, and dies before its first send.
        stage.App.Store.KilledAfter = commit => commit.Table == "waits" && commit.Writes.Any(write => write.RowKey == "claim");
        stage.Clock.JumpTo(Stage.AlarmOf(due));
        await Assert.ThrowsAsync<KilledException>(() => stage.Get<WakeActivity>().RunAsync(new(Ms(due), null)));
        stage.Start();

        stage.Clock.JumpTo(due.AddSeconds(20));
        await stage.UpkeepAsync();

        await stage.Receiver.WaitForAsync("/unsent", 5);
        Assert.Equal(0, await stage.WaitingAsync());
        await stage.QuietAsync();
        Assert.Equal(5, stage.Receiver.All.Count);
    }

    [Fact]
    public async Task Two_hosts_that_wake_one_bucket_send_each_ticket_once()
    {
        await using var stage = await StartAsync();
        // What Durable would do is done by hand.
        stage.Wake = _ => Task.FromResult<int[]>([]);
        var due = Minute(stage.Clock.GetUtcNow().AddMinutes(10));
        await PublishAsync(stage, 300, "/twice", due);
        var (one, two) = (stage.App, stage.Start());
        stage.Clock.JumpTo(Stage.AlarmOf(due));

        var hosts = Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? one : two).Get<WakeActivity>());
        await Task.WhenAll(hosts.Select(wake => Task.Run(() => wake.RunAsync(new(Ms(due), null)))));

        Assert.Equal((0, 300), (await stage.WaitingAsync(), await stage.Store.Queues.CountAsync(WorkItem.Queue)));
        stage.Clock.JumpTo(due);
        await stage.Receiver.WaitForAsync("/twice", 300);
        await stage.QuietAsync();
        Assert.Equal(300, stage.Receiver.All.Count);
    }
}
