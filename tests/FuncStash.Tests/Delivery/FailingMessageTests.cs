using System.Text;
using FuncStash.Admission;
using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Tests.Admission;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Delivery;

/// <summary>
/// A message that the service itself cannot handle ends as a dead letter after a bounded number of tries, and harms no other.
/// </summary>
public sealed class FailingMessageTests
{
    private static readonly string s_big = new('x', 300_000);

    private static Task<(int Status, System.Text.Json.Nodes.JsonNode? Json)> EnqueueAsync(
        LiveService service, string path, string body, params (string, string)[] headers) =>
        service.SendAsync("POST", "/v2/enqueue/q/" + service.Receiver.Url(path), body, headers);

    private static async Task<MessageId> EnqueuedAsync(LiveService service, string path, string body, params (string, string)[] headers) =>
        MessageId.Parse((string)(await EnqueueAsync(service, path, body, headers)).Json!["messageId"]!);

    [Fact]
    public async Task One_whose_step_always_throws_becomes_a_dead_letter_with_the_reason_and_its_queue_goes_on()
    {
        await using var service = await LiveService.StartAsync();
        var id = await EnqueuedAsync(service, "/first", s_big, ("Upstash-Failure-Callback", service.Receiver.Url("/failed")));
        await EnqueuedAsync(service, "/second", "2");
        var stored = (await service.Get<MessageStore>().GetAsync(id))!;
        await service.Store.Bodies.DeleteAsync(stored.Message.BodyName!);
        var started = service.Clock.Now;

        await service.RunUntilAsync(() => service.Receiver.Count("/second") > 0);

        Assert.Equal(["/failed", "/second"], service.Receiver.Paths);
        Assert.InRange(service.Clock.Now - started, 4 * 60_000, 10 * 60_000);
        stored = (await service.Get<MessageStore>().GetAsync(id))!;
        Assert.Equal((MessageState.Failed, 0), (stored.Progress.State, stored.Progress.Retried));
        var letters = service.Get<DeadLetterStore>();
        var letter = (await letters.GetAsync(DlqId.Parse(stored.Progress.DlqId!)))!;
        Assert.Contains("payload", letter.Error, StringComparison.Ordinal);
        Assert.Contains("payload", service.Receiver.Arrivals[0].Body, StringComparison.Ordinal);

        // A retry of it does not deliver something else; once its payload is back, it does.
        Assert.Equal(404, (await service.SendAsync("POST", "/v2/dlq/retry/" + letter.Id)).Status);
        Assert.Equal(201, (await service.SendAsync("POST", "/v2/dlq/retry")).Status);
        await service.Store.Bodies.PutAsync(letter.Message.BodyName!, Encoding.UTF8.GetBytes(s_big));
        Assert.Equal(201, (await service.SendAsync("POST", "/v2/dlq/retry/" + letter.Id)).Status);
        await service.RunUntilAsync(() => service.Receiver.Count("/first") > 0);
        Assert.Equal(s_big, service.Receiver.Arrivals[^1].Body);
    }

    [Fact]
    public async Task One_whose_row_cannot_be_read_is_set_aside_and_its_queue_and_all_lists_go_on()
    {
        await using var service = await LiveService.StartAsync();
        var id = await EnqueuedAsync(service, "/first", "1");
        await EnqueuedAsync(service, "/second", "2");
        await SpoilAsync(service, id);

        await service.RunUntilAsync(async () =>
        {
            // Nobody else is harmed meanwhile.
            Assert.Equal(200, (await service.SendAsync("GET", "/v2/events")).Status);
            Assert.Equal(200, (await service.SendAsync("DELETE", "/v2/messages?label=none")).Status);
            await service.Get<GateSweep>().RunAsync();
            return service.Receiver.Count("/second") > 0;
        });

        Assert.Equal(["/second"], service.Receiver.Paths);
        Entity? aside = null;
        await service.RunUntilAsync(async () => (aside = await service.Store.Tables.GetAsync(
            MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(MessageRows.Aside, id))) is not null);
        Assert.Null(await service.Get<MessageStore>().GetAsync(id));
        Assert.Equal("1", Encoding.UTF8.GetString(aside!.Bytes("Body")!));
        service.Clock.Advance((long)TimeSpan.FromDays(40).TotalMilliseconds);
        await service.Get<Purge>().RunAsync();
        Assert.Null(await service.Store.Tables.GetAsync(MessageRows.Table, aside.PartitionKey, aside.RowKey));
    }

    [Fact]
    public async Task One_whose_row_cannot_be_read_and_that_nobody_acts_for_is_counted_by_the_sweep_and_set_aside()
    {
        await using var service = await LiveService.StartAsync();
        var id = MessageId.Parse(await service.PublishAsync("/x", ("Upstash-Delay", "1s")));
        service.Clock.Advance(1_000);
        foreach (var lost in await service.Store.Queues.ReceiveAsync(WorkItem.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero))
            await service.Store.Queues.DeleteAsync(lost);
        await SpoilAsync(service, id);
        var (runs, isAside) = (0, false);
        while (!isAside)
        {
            Assert.True(++runs < 80, "it is looked at for ever");
            await service.Get<Sweep>().RunAsync();
            await service.RunNowAsync();
            service.Clock.Advance(60_000);
            isAside = await service.Store.Tables.GetAsync(
                MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(MessageRows.Aside, id)) is not null;
        }

        // Not before it is overdue.
        Assert.True(runs >= StepFailures.Most + 10, $"after {runs} minutes");
        Assert.Null(await service.Get<MessageStore>().GetAsync(id));
    }

    private static async Task SpoilAsync(LiveService service, MessageId id)
    {
        var row = (await service.Store.Tables.GetAsync(
            MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(MessageRows.Live, id)))!;
        var spoilt = row with { Values = new Dictionary<string, object>(row.Values) { ["Spec"] = "{"u8.ToArray() } };
        await service.Store.Tables.CommitAsync(new Commit(MessageRows.Table, row.PartitionKey, [new Write.Replace(spoilt, row.ETag!)]));
    }

    [Fact]
    public async Task Trouble_of_the_store_counts_for_nothing()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        var id = MessageId.Parse(await service.PublishAsync("/x"));
        var isDown = true;
        watched!.Stale = row => isDown && row.StartsWith(MessageRows.Live, StringComparison.Ordinal) ? throw new StoreFaultException() : null;
        for (var i = 0; i < 3 * StepFailures.Most; i++)
        {
            await service.RunNowAsync();
            service.Clock.Advance(61_000);
        }
        isDown = false;
        await service.RunUntilAsync(() => service.Receiver.Paths.Count > 0);
        await service.RunNowAsync();

        var stored = (await service.Get<MessageStore>().GetAsync(id))!;
        Assert.Equal((MessageState.Delivered, 0), (stored.Progress.State, stored.Progress.Failures));
    }

    [Fact]
    public async Task Failures_are_counted_by_all_processes_together_and_forgotten_once_it_went_well()
    {
        await using var service = await LiveService.StartAsync();
        service.Receiver.Answer = (_, earlier) => Task.FromResult(earlier == 0 ? 500 : 200);
        var (status, json) = await service.SendAsync("POST", "/v2/publish/" + service.Receiver.Url("/x"), s_big, ("Upstash-Retry-Delay", "1000"));
        Assert.Equal(200, status);
        var id = MessageId.Parse((string)json!["messageId"]!);
        var stored = (await service.Get<MessageStore>().GetAsync(id))!;
        var body = await service.Store.Bodies.GetAsync(stored.Message.BodyName!);
        await service.Store.Bodies.DeleteAsync(stored.Message.BodyName!);
        var again = 0;
        while (++again < StepFailures.Most)
        {
            var result = await service.New<DeliveryService>().RunAsync(new DeliveryTicket(id, 0), lease: null);
            var pause = Assert.IsType<StepResult.Again>(result).At - service.Clock.Now;
            Assert.Equal(Math.Min(60, Math.Pow(2, again)) * 1000, pause);
        }
        Assert.Equal(StepFailures.Most - 1, (await service.Get<MessageStore>().GetAsync(id))!.Progress.Failures);

        await service.Store.Bodies.PutAsync(stored.Message.BodyName!, body);
        await service.New<DeliveryService>().RunAsync(new DeliveryTicket(id, 0), lease: null);

        var progress = (await service.Get<MessageStore>().GetAsync(id))!.Progress;
        Assert.Equal((MessageState.Retry, 0), (progress.State, progress.Failures));
    }

    [Fact]
    public async Task One_whose_outcome_cannot_be_written_is_not_sent_again()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        watched!.Faults = commit => commit.Writes.OfType<Write.Insert>().Any(write => write.Entity.Text("State") == MessageState.Delivered.Wire())
            ? throw new InvalidOperationException("it is too long") : Fault.None;
        var id = MessageId.Parse(await service.PublishAsync("/x"));
        await service.RunUntilAsync(async () => (await service.Get<MessageStore>().GetAsync(id))!.Ended);
        await service.RunNowAsync();

        Assert.Equal(["/x"], service.Receiver.Paths);
        var stored = (await service.Get<MessageStore>().GetAsync(id))!;
        Assert.Equal(MessageState.Failed, stored.Progress.State);
        var letter = await service.Get<DeadLetterStore>().GetAsync(DlqId.Parse(stored.Progress.DlqId!));
        Assert.Contains("it is too long", letter!.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_cannot_even_be_ended_is_set_aside()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        watched!.Faults = commit => commit.Writes.OfType<Write.Insert>().Any(write => write.RowKey.StartsWith(MessageRows.Ended, StringComparison.Ordinal))
            ? throw new InvalidOperationException("it is too long") : Fault.None;
        var id = MessageId.Parse(await service.PublishAsync("/x"));

        await service.RunUntilAsync(async () => await service.Get<MessageStore>().GetAsync(id) is null);
        service.Clock.Advance(3_600_000);
        await service.RunNowAsync();

        Assert.Equal(["/x"], service.Receiver.Paths);
        Assert.NotNull(await service.Store.Tables.GetAsync(
            MessageRows.Table, MessageRows.Partition(id), MessageRows.Key(MessageRows.Aside, id)));
    }

    [Fact]
    public async Task A_gate_that_nobody_can_read_costs_its_own_messages_a_dead_letter_and_the_others_nothing()
    {
        await using var service = new Service();
        // A place that a dead worker left taken, in a queue whose name comes after that of the spoilt one.
        var held = (await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "z" })).Messages[0].Id;
        await service.Get<FuncStash.Cancelling.Cancellation>().CancelAsync(held);
        await service.Get<Gates>().ChangeAsync(GateKind.Queue, "z", state => state with { Inside = [new GateSlot(held.Text, 0, service.Now)] });
        var spoilt = (await service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", "") with { QueueName = "a" })).Messages[0].Id;
        var partition = GateRows.Partition(GateKind.Queue, "a");
        await service.Store.Tables.CommitAsync(new Commit(GateRows.Table, partition,
            [new Write.Upsert(new Entity(partition, GateRows.StateKey, new Dictionary<string, object> { ["State"] = "{"u8.ToArray() }))]));

        service.Time.Advance(TimeSpan.FromMinutes(1));
        await service.New<GateSweep>().RunAsync();
        Assert.Empty((await service.Get<Gates>().GetAsync(GateKind.Queue, "z"))!.Inside);

        // A worker that has not seen it before.
        await using var worker = new Service(store: service.Store);
        for (var i = 0; i < StepFailures.Most; i++)
            await worker.Get<DeliveryService>().RunAsync(new DeliveryTicket(spoilt, 0), lease: null);
        Assert.Equal(MessageState.Failed, (await service.Get<MessageStore>().GetAsync(spoilt))!.Progress.State);
    }
}
