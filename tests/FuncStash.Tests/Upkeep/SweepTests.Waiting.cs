using FuncStash.Cancelling;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Tests.Upkeep;

/// <summary>What waits is found when it is due, and costs nothing before.</summary>
public sealed partial class SweepTests
{
    [Theory]
    [InlineData(100)]
    [InlineData(1_000)]
    public async Task What_waits_is_read_once_and_then_costs_nothing(int waiting)
    {
        await using var store = new CountingStore();
        await using var service = new Service(store: store);
        var time = service.Time;
        for (var i = 0; i < waiting; i++)
            await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "", ("Upstash-Delay", "1d")));
        await SweepLaterAsync();

        Assert.Equal((20, 10), await SweepLaterAsync());

        async Task<(int Operations, int Rows)> SweepLaterAsync()
        {
            time.Advance(TimeSpan.FromMinutes(15));
            await service.Get<QueueProbe>().NoteAsync(WorkItem.Queue, service.Now);
            (var operations, store.RowsRead) = (store.Operations, 0);
            Assert.Equal(0, await service.Get<Sweep>().RunAsync());
            return (store.Operations - operations, store.RowsRead);
        }
    }

    [Fact]
    public async Task A_message_that_waited_is_found_when_it_is_due_and_when_its_retry_is()
    {
        var id = await PublishAsync(("Upstash-Delay", "1h"));
        await SweepAfterAsync(TimeSpan.FromMinutes(12), 0);
        await LoseAllAsync();
        await SweepAfterAsync(TimeSpan.FromHours(1), 1);

        await ApplyAsync(id, p => p with { State = MessageState.Retry, Retried = 1, DueAt = _service.Now + 10_800_000 });
        await LoseAllAsync();
        await SweepAfterAsync(TimeSpan.FromHours(2), 0);
        await SweepAfterAsync(TimeSpan.FromHours(2), 1);
    }

    [Fact]
    public async Task A_message_whose_id_is_older_than_itself_is_found()
    {
        var before = _service.Now;
        var shard = (await PublishAsync(("Upstash-Delay", "1d"))).Shard;
        await SweepAfterAsync(TimeSpan.FromMinutes(30), 0);
        var message = new Message { Id = MessageId.Create(before - 60_000, 1, (ulong)shard << 48), Url = "https://example.com", NotBefore = _service.Now };
        await _service.Get<MessageStore>().CreateAsync([new NewMessage(message, Once: true)]);
        await LoseAllAsync();

        await SweepAfterAsync(TimeSpan.FromMinutes(12), 1);
        Assert.Equal(1, (await MessageAsync(message.Id)).Progress.Ticket);
    }

    [Fact]
    public async Task A_message_that_became_due_earlier_than_it_was_is_found()
    {
        var id = await PublishAsync(("Upstash-Delay", "1d"));
        await SweepAfterAsync(TimeSpan.FromMinutes(30), 0);
        Assert.True((await _service.Get<MessageStore>().HurryAsync(await MessageAsync(id), _service.Now, [])).Applied);
        await LoseAllAsync();

        await SweepAfterAsync(TimeSpan.FromMinutes(22), 1);
    }

    [Fact]
    public async Task A_late_message_stays_entered_until_it_is_stored()
    {
        var id = MessageId.Create(_service.Now - 1_800_000, 1, 1);
        await _service.Get<Watchlist>().EnsureAsync(id, _service.Now - 1_800_000, default);

        await SweepAfterAsync(TimeSpan.FromSeconds(1), 0);

        Assert.Equal(id, Watchlist.IdOf(Assert.Single(await WatchedAsync())));
    }

    [Fact]
    public async Task What_was_entered_by_a_clock_that_was_ahead_hides_nothing()
    {
        var id = await PublishAsync();
        await LoseAllAsync();
        await _service.Get<Watchlist>().NoteAsync(
            MessageRows.Partition(id), MessageRows.Live + LogPosition.At(_service.Now + 3_000_000), default);
        await SweepAfterAsync(TimeSpan.FromMinutes(5), 0);

        await SweepAfterAsync(TimeSpan.FromMinutes(15), 1);
    }

    // As docs/operations.md says of messages that were set aside.
    [Fact]
    public async Task A_row_that_was_written_back_is_found_once_its_partition_is_looked_through_again()
    {
        var id = await PublishAsync();
        await LoseAllAsync();
        var tables = _service.Store.Tables;
        var (partition, key) = (MessageRows.Partition(id), MessageRows.Key(MessageRows.Live, id));
        var row = (await tables.GetAsync(MessageRows.Table, partition, key))!;
        await tables.CommitAsync(new Commit(MessageRows.Table, partition, [new Write.Delete(key, null)]));
        _service.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(id.Shard, (await PublishAsync(("Upstash-Delay", "1d"))).Shard);
        await SweepAfterAsync(TimeSpan.FromMinutes(30), 0);
        await tables.CommitAsync(new Commit(MessageRows.Table, partition, [new Write.Insert(row)]));
        await SweepAfterAsync(TimeSpan.FromMinutes(30), 0);
        await tables.CommitAsync(new Commit("watch", "entered", [new Write.Delete(partition, null)]));

        await SweepAfterAsync(TimeSpan.FromMinutes(1), 1);
    }

    [Fact]
    public async Task One_that_has_ended_is_struck_out_when_it_would_be_due()
    {
        var id = await PublishAsync(("Upstash-Delay", "1h"));
        await SweepAfterAsync(TimeSpan.FromMinutes(12), 0);
        Assert.Single(await WatchedAsync());
        await _service.Get<Cancellation>().CancelAsync(id);

        await SweepAfterAsync(TimeSpan.FromMinutes(70), 0);

        Assert.Empty(await WatchedAsync());
    }

    private async Task<List<Entity>> WatchedAsync()
    {
        var all = new List<Entity>();
        for (var shard = 0; shard < MessageId.Shards; shard++)
            all.AddRange(await _service.Get<Watchlist>().DueAsync(shard, long.MaxValue, default).ToListAsync());
        return all;
    }

    private async Task SweepAfterAsync(TimeSpan pause, int found)
    {
        _service.Time.Advance(pause);
        await ProbeAsync();
        Assert.Equal(found, await SweepAsync());
    }
}
