using CsCheck;
using FuncStash.Admission;
using FuncStash.Deduplication;
using FuncStash.Delivery;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Tests.Messages;

/// <summary>Clocks that are set back, and clocks of different machines that differ: nothing waits for them, and no queue is mixed up.</summary>
public sealed class ClockTests
{
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    private static void SetBack(Service service, TimeSpan by) => service.Time.AdjustTime(service.Time.GetUtcNow() - by);

    private static async Task<MessageId> PublishAsync(Service service, string url, params (string, string)[] headers) =>
        (await service.Get<Publisher>().PublishAsync(Service.Request(url, "", headers))).Messages[0].Id;

    private static async Task<int> WorkAsync(Service service)
    {
        var worked = 0;
        while (await service.Store.Queues.ReceiveAsync(WorkItem.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero) is { Count: > 0 } leases)
        {
            foreach (var lease in leases)
                await service.Get<DeliveryService>().RunAsync(lease.Text, lease);
            worked += leases.Count;
        }
        return worked;
    }

    private static async Task<StoredMessage> StoredAsync(Service service, MessageId id) => (await service.Get<MessageStore>().GetAsync(id))!;

    [Fact]
    public async Task After_the_clock_was_set_back_by_an_hour_a_message_is_due_at_once_and_a_delayed_one_after_its_delay()
    {
        await using var service = new Service();
        await using var destination = await TestDestination.StartAsync();
        await PublishAsync(service, destination.Url("/before"));
        await WorkAsync(service);
        SetBack(service, s_hour);

        var id = await PublishAsync(service, destination.Url("/after"));
        var delayed = await PublishAsync(service, destination.Url("/delayed"), ("Upstash-Delay", "10s"));
        await WorkAsync(service);

        Assert.Single(destination.Headers("/after"));
        var stored = await StoredAsync(service, id);
        Assert.Equal((service.Now, service.Now), (stored.Message.CreatedAt, stored.Message.NotBefore));
        Assert.Equal(service.Now + 10_000, (await StoredAsync(service, delayed)).Message.NotBefore);
        service.Time.Advance(TimeSpan.FromMilliseconds(9_900));
        await WorkAsync(service);
        Assert.Empty(destination.Headers("/delayed"));
        service.Time.Advance(TimeSpan.FromMilliseconds(100));
        await WorkAsync(service);
        Assert.Single(destination.Headers("/delayed"));
    }

    [Fact]
    public Task After_a_clock_was_put_right_by_less_than_half_a_second_nothing_comes_early() =>
        Gen.Select(Gen.Int[1, 500], Gen.Int[1, 2000]).SampleAsync(async (back, delay) =>
        {
            await using var service = new Service();
            await PublishAsync(service, "https://example.com");
            SetBack(service, TimeSpan.FromMilliseconds(back));
            var at = service.Now + delay;
            var message = new FuncStash.Headers.PublishSettings { Delay = TimeSpan.FromMilliseconds(delay) }.ApplyTo(
                new Message { Id = service.Get<MessageIds>().Next(now: service.Now), Url = "https://example.com" }, service.Now);

            Assert.InRange(message.NotBefore, at, at + back);
            Assert.True(message.IsDelayed);
        }, iter: 50);

    [Fact]
    public async Task A_rate_goes_on_within_its_period_after_the_clock_was_set_back()
    {
        await using var service = new Service();
        await using var destination = await TestDestination.StartAsync();
        (string, string)[] limits = [("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "rate=1, period=10s")];
        await PublishAsync(service, destination.Url("/1"), limits);
        await WorkAsync(service);
        SetBack(service, s_hour);
        await PublishAsync(service, destination.Url("/2"), limits);
        await WorkAsync(service);
        Assert.Empty(destination.Headers("/2"));

        service.Time.Advance(TimeSpan.FromSeconds(10));
        await WorkAsync(service);
        Assert.Single(destination.Headers("/2"));
    }

    [Fact]
    public async Task What_a_publisher_whose_clock_is_ahead_accepts_is_delivered_at_once_and_its_log_is_in_order()
    {
        // Just before midnight, which the publisher has behind it already.
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        await using var worker = new Service(store: store);
        await using var publisher = new Service(store: store);
        worker.Time.AdjustTime(new DateTimeOffset(2026, 1, 5, 23, 30, 0, TimeSpan.Zero));
        publisher.Time.AdjustTime(worker.Time.GetUtcNow() + s_hour);
        await using var destination = await TestDestination.StartAsync();
        destination.Status = (path, retried) => path == "/x" && retried == 0 ? 500 : 200;

        var id = await PublishAsync(
            publisher, destination.Url("/x"), ("Upstash-Callback", destination.Url("/callback")), ("Upstash-Retry-Delay", "1000"));
        await WorkAsync(worker);
        Assert.Single(destination.Headers("/x"));
        worker.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually(async () => await WorkAsync(worker) > 0 && destination.Headers("/callback").Count == 2);

        var stored = await StoredAsync(worker, id);
        Assert.Equal(MessageState.Delivered, stored.Progress.State);
        foreach (var reader in new[] { worker, publisher })
        {
            var page = await reader.Get<LogReader>().ListAsync(new() { MessageIds = [id], EarliestFirst = true });
            Assert.Equal(
                [MessageState.Created, MessageState.Active, MessageState.Error, MessageState.Retry, MessageState.Active, MessageState.Delivered],
                page.Entries.Select(entry => entry.Event.State));
        }
    }

    // The store's queues keep real time.
    private static async Task Eventually(Func<Task<bool>> done)
    {
        for (var i = 0; !await done(); i++)
        {
            Assert.True(i < 1000, "waited in vain");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    [Fact]
    public Task A_queue_has_the_order_in_which_its_messages_were_accepted_whatever_the_publishers_clocks_say() =>
        Gen.Select(Gen.Int[-4_000_000, 4_000_000], Gen.Select(Gen.Int[0, 1], Gen.Int[1, 4], Gen.Int[-2000, 3000]).Array[1, 12])
            .SampleAsync(async (skew, batches) =>
        {
            await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
            Service[] publishers = [new(store: store), new(store: store)];
            publishers[1].Time.AdjustTime(publishers[0].Time.GetUtcNow().AddMilliseconds(skew));
            await publishers[0].Get<Gates>().ChangeAsync(GateKind.Queue, "q", state => state with { Paused = true });
            var accepted = new List<string>();
            foreach (var (who, count, ms) in batches)
            {
                // A clock may also be set back.
                publishers[who].Time.AdjustTime(publishers[who].Time.GetUtcNow().AddMilliseconds(ms));
                var batch = Enumerable.Range(0, count).Select(_ => Service.Request("https://example.com", "") with { QueueName = "q" }).ToList();
                // Two processes at one gate give way to each other for some milliseconds.
                var results = await publishers[who].PassTimeAsync(
                    publishers[who].Get<Publisher>().PublishAsync(batch).AsTask(), TimeSpan.FromMilliseconds(1));
                accepted.AddRange(results.Select(result => result.Result!.Messages[0].Id.Text));
            }

            var line = await publishers[0].Get<Gates>().WaitingAsync(GateKind.Queue, "q", 100);
            Assert.Equal(accepted, line.Select(candidate => candidate.Message));
            // Each is found there, by whoever looks.
            foreach (var stored in await publishers[1].MessagesAsync())
                Assert.True(await publishers[1].Get<AdmissionService>().IsInLineAsync(stored));
            foreach (var publisher in publishers)
                await publisher.DisposeAsync();
        }, iter: 60, threads: 1);

    [Fact]
    public async Task Who_got_in_line_under_an_older_version_stays_ahead_of_the_next()
    {
        await using var service = new Service();
        await service.Get<Gates>().ChangeAsync(GateKind.Queue, "q", state => state with { Paused = true });
        for (var i = 0; i < 3; i++)
            await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "q" });
        var before = await service.Get<Gates>().WaitingAsync(GateKind.Queue, "q", 10);
        // Its rows are the same; its state knows of no places.
        await service.Get<Gates>().ChangeAsync(GateKind.Queue, "q", state => state with { Last = null, Moved = 0 });
        service.Time.Advance(TimeSpan.FromMilliseconds(1));
        var next = (await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "q" })).Messages[0].Id;
        SetBack(service, s_hour);
        var last = (await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "q" })).Messages[0].Id;

        var after = await service.Get<Gates>().WaitingAsync(GateKind.Queue, "q", 10);
        Assert.Equal([.. before.Select(c => c.Message), next.Text, last.Text], after.Select(c => c.Message));
    }

    [Fact]
    public async Task A_message_that_got_in_line_twice_does_not_block_it()
    {
        await using var service = new Service();
        var gates = service.Get<Gates>();
        await gates.ChangeAsync(GateKind.Queue, "q", state => state with { Paused = true });
        var ids = new List<MessageId>();
        for (var i = 0; i < 2; i++)
        {
            ids.Add((await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "q" })).Messages[0].Id);
            SetBack(service, s_hour);
        }
        // An older version knows of no places.
        await gates.ChangeAsync(GateKind.Queue, "q", state => state with { Moved = 0 });
        await service.Get<AdmissionService>().AcceptAgainAsync((await service.Get<MessageStore>().GetAsync(ids[1]))!);
        Assert.Equal(3, (await gates.GetAsync(GateKind.Queue, "q"))!.Waiting);

        await gates.ChangeAsync(GateKind.Queue, "q", state => state with { Paused = false });
        // Its second ticket will find it ended.
        foreach (var id in ids.Append(ids[1]))
        {
            Assert.Equal(id.Text, Assert.Single((await gates.GetAsync(GateKind.Queue, "q"))!.Inside).Message);
            await service.PassTimeAsync(gates.PassAsync(GateKind.Queue, "q", id.Text, 0, id.Text, []), TimeSpan.FromMilliseconds(10))
                .WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        }
        var after = (await gates.GetAsync(GateKind.Queue, "q"))!;
        Assert.Equal((0, 0), (after.Waiting, after.Inside.Count));
    }

    [Fact]
    public async Task A_cancelled_message_leaves_the_line_wherever_it_stands_and_one_sent_anew_keeps_its_place()
    {
        await using var service = new Service();
        await service.Get<Gates>().ChangeAsync(GateKind.Queue, "q", state => state with { Paused = true });
        var ids = new List<MessageId>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add((await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "q" })).Messages[0].Id);
            SetBack(service, s_hour);
        }
        await service.Get<FuncStash.Cancelling.Cancellation>().CancelAsync(ids[1]);
        // Asks again, as a worker does with a ticket that came twice.
        await service.Get<DeliveryService>().RunAsync(new DeliveryTicket(ids[2], 0), lease: null);

        Assert.Equal(
            [ids[0].Text, ids[2].Text, ids[3].Text],
            (await service.Get<Gates>().WaitingAsync(GateKind.Queue, "q", 10)).Select(c => c.Message));
        await service.Get<FuncStash.Queues.QueueService>().DeleteAsync("q");
        Assert.All(await service.MessagesAsync(), message => Assert.Equal(MessageState.Canceled, message.Progress.State));
    }

    [Fact]
    public async Task Upkeep_takes_its_turns_and_believes_no_probe_from_the_future_after_the_clock_was_set_back()
    {
        await using var service = new Service();
        var (turns, probe) = (service.Get<UpkeepTurns>(), service.Get<QueueProbe>());
        Assert.True(await turns.TryTakeAsync("job", TimeSpan.FromMinutes(5)));
        await probe.NoteAsync(WorkItem.Queue, service.Now);
        SetBack(service, s_hour);

        Assert.Null(await probe.ThroughAsync());
        await probe.NoteAsync(WorkItem.Queue, service.Now);
        Assert.Equal(service.Now, await probe.ThroughAsync());
        Assert.True(await turns.TryTakeAsync("job", TimeSpan.FromMinutes(5)));
        Assert.False(await turns.TryTakeAsync("job", TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public async Task A_deduplication_id_lasts_no_longer_than_a_window_after_the_clock_was_set_back()
    {
        await using var service = new Service();
        var (deduplicator, ids) = (service.Get<Deduplicator>(), service.Get<MessageIds>());
        Assert.Null(await deduplicator.ReserveAsync("d", ids.Next()));
        SetBack(service, s_hour);
        Assert.NotNull(await deduplicator.ReserveAsync("d", ids.Next()));
        service.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Null(await deduplicator.ReserveAsync("d", ids.Next()));
    }

    [Fact]
    public async Task A_place_that_a_dead_worker_left_is_not_held_for_the_hour_that_the_clock_was_set_back_by()
    {
        await using var service = new Service();
        var held = (await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "q" })).Messages[0].Id;
        await service.Get<FuncStash.Cancelling.Cancellation>().CancelAsync(held);
        await service.Get<Gates>().ChangeAsync(
            GateKind.Queue, "q", state => state with { Inside = [new GateSlot(held.Text, 0, service.Now + 1_200_000)] });
        SetBack(service, s_hour);

        await service.Get<GateSweep>().RunAsync();
        service.Time.Advance(TimeSpan.FromMinutes(21));
        await service.Get<GateSweep>().RunAsync();

        Assert.Empty((await service.Get<Gates>().GetAsync(GateKind.Queue, "q"))!.Inside);
    }
}
