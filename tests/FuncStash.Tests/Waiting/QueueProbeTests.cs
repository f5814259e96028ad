using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>The probe of a work queue that lies in several: the one that is furthest behind counts.</summary>
public sealed class QueueProbeTests : IAsyncLifetime
{
    private const string First = WorkItem.Queue, Second = First + "-2", Third = First + "-3";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Service _service = new(inner => new SpreadStore(inner, 3));

    private QueueProbe Probe => _service.Get<QueueProbe>();

    private SpreadStore Store => (SpreadStore)_service.Store;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task It_has_come_through_when_it_has_come_through_every_queue()
    {
        var sentAt = _service.Now;
        await Probe.SendAsync();
        await WorkAsync(First);
        await WorkAsync(Third);
        Assert.Null(await Probe.ThroughAsync());

        await WorkAsync(Second);

        Assert.Equal(sentAt, await Probe.ThroughAsync());
        Assert.Null(await Probe.SettledAsync());
        _service.Time.Advance(QueueProbe.Settle);
        Assert.Equal(sentAt, await Probe.SettledAsync());
    }

    [Fact]
    public async Task It_is_not_settled_while_one_queue_still_holds_an_older_message()
    {
        var early = _service.Now;
        await Probe.SendAsync();
        await WorkAsync(First, Second, Third);
        _service.Time.Advance(TimeSpan.FromMinutes(1));
        await Store.SendAsync([new Send(Second, "older")]);
        _service.Time.Advance(TimeSpan.FromMinutes(1));
        var late = _service.Now;
        await Probe.SendAsync();

        await WorkAsync(First, Third);
        _service.Time.Advance(QueueProbe.Settle);
        Assert.Equal((early, early), (await Probe.ThroughAsync(), await Probe.SettledAsync()));

        await WorkAsync(Second);
        _service.Time.Advance(QueueProbe.Settle);
        Assert.Equal((late, late), (await Probe.ThroughAsync(), await Probe.SettledAsync()));
    }

    [Fact]
    public async Task Probes_that_come_all_the_time_do_not_keep_each_other_from_being_settled()
    {
        for (var begun = _service.Now; _service.Now - begun < 60_000; _service.Time.Advance(TimeSpan.FromSeconds(1)))
        {
            await Probe.SendAsync();
            await WorkAsync(First, Second, Third);
            var settled = await Probe.SettledAsync();
            Assert.InRange(_service.Now - (settled ?? begun), settled is null ? 0 : 5_000, 10_000);
        }
    }

    [Fact]
    public async Task None_is_sent_while_something_is_left_where_nobody_receives_it()
    {
        Store.Left = 1;
        await Probe.SendAsync();
        Assert.Empty(await ReceiveAsync(First));

        await Probe.SendAsync();
        Assert.Single(await ReceiveAsync(First));
    }

    [Fact]
    public async Task Queues_that_are_used_no_more_do_not_count_and_new_ones_do_at_once()
    {
        await Probe.SendAsync();
        await WorkAsync(First, Second, Third);
        _service.Time.Advance(TimeSpan.FromMinutes(1));
        Store.Count = 1;
        var sentAt = _service.Now;
        await Probe.SendAsync();
        await WorkAsync(First);
        Assert.Equal(sentAt, await Probe.ThroughAsync());

        Store.Count = 4;
        Assert.Null(await Probe.ThroughAsync());
    }

    [Theory]
    [InlineData(First)]
    [InlineData(Second)]
    [InlineData(Third)]
    public async Task A_message_in_a_queue_with_a_backlog_is_not_taken_for_lost(string full)
    {
        var id = (await _service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", ""))).Messages[0].Id;
        var sent = Assert.Single(await ReceiveAsync(First));
        await Store.SendAsync([new Send(full, sent.Text)]);
        await Store.DeleteAsync(sent);
        for (var i = 0; i < 6; i++)
        {
            _service.Time.Advance(TimeSpan.FromMinutes(10));
            await Probe.SendAsync();
            await WorkAsync([.. Store.NamesOf(First).Where(queue => queue != full)]);
            Assert.Equal(0, await _service.Get<Sweep>().RunAsync().WaitAsync(s_patience, TimeProvider.System));
        }

        Assert.Equal(0, (await _service.Get<MessageStore>().GetAsync(id))!.Progress.Ticket);
    }

    // As workers do that have worked through these queues.
    private async Task WorkAsync(params string[] queues)
    {
        foreach (var queue in queues)
        {
            foreach (var lease in await ReceiveAsync(queue))
                await _service.Get<DeliveryService>().RunAsync(lease.Text, lease);
        }
    }

    private ValueTask<IReadOnlyList<Lease>> ReceiveAsync(string queue) =>
        Store.ReceiveAsync(queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero);
}
