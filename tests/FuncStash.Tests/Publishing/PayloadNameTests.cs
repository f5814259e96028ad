using System.Text;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Schedules;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Tests.Publishing;

/// <summary>What is delivered under an id is what was accepted under it: each payload that is written has a name of its own.</summary>
public sealed class PayloadNameTests
{
    private static string Big(string mark) => mark + new string('x', 300_000);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_two_publishes_of_one_id_at_the_same_time_the_accepted_one_is_stored(bool isBig)
    {
        for (var seed = 0; seed < 60; seed++)
        {
            await using var own = SqliteStore.Open(":memory:", TimeProvider.System);
            var watched = new WatchedStore(own);
            var stage = new Stage(watched, seed);
            await using var service = new Service(store: stage);
            var results = new Published?[2];
            for (var i = 0; i < 2; i++)
            {
                var (mine, body) = (i, isBig ? Big($"{i}") : $"{i}");
                stage.Enter(async () =>
                {
                    var request = Service.Request("https://example.com", body, ("Upstash-Deduplication-Id", "d"));
                    results[mine] = (await service.Get<Publisher>().PublishAsync(request)).Messages[0];
                });
            }
            await stage.PlayAsync();

            var accepted = Assert.Single(Enumerable.Range(0, 2), i => !results[i]!.Deduplicated);
            Assert.Equal(results[0]!.Id, results[1]!.Id);
            var stored = Assert.Single(await service.MessagesAsync());
            Assert.Equal(
                isBig ? Big($"{accepted}") : $"{accepted}",
                Encoding.UTF8.GetString(await service.Get<MessageStore>().BodyAsync(stored.Message)));
            // The other's is gone.
            Assert.Equal(isBig ? [stored.Message.BodyName!] : [], watched.BodyNames);
        }
    }

    [Fact]
    public async Task Of_two_that_create_a_schedule_of_one_id_at_the_same_time_the_one_that_stays_has_its_own()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            await using var own = SqliteStore.Open(":memory:", TimeProvider.System);
            var watched = new WatchedStore(own);
            var stage = new Stage(watched, seed);
            await using var service = new Service(store: stage);
            for (var i = 0; i < 2; i++)
            {
                var (path, body) = ($"https://example.com/{i}", Big($"{i}"));
                stage.Enter(async () => await service.Get<Scheduler>().CreateAsync(
                    Service.Request(path, body, ("Upstash-Cron", "0 0 * * *"), ("Upstash-Schedule-Id", "s"))));
            }
            await stage.PlayAsync();

            var (schedules, stays) = (service.Get<ScheduleStore>(), (await service.Get<ScheduleStore>().GetAsync("s"))!);
            Assert.Equal(Big(stays.Spec.Destination[^1..]), Encoding.UTF8.GetString((await schedules.BodyAsync(stays))!));
            // The other's is gone.
            Assert.Equal([stays.Spec.BodyName!], watched.BodyNames);
        }
    }

    [Fact]
    public async Task The_payload_of_a_step_that_came_too_late_goes()
    {
        WatchedStore? watched = null;
        await using var service = new Service(inner => watched = new WatchedStore(inner));
        var arrived = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        await using var destination = await StandIn.StartAsync(async _ =>
        {
            arrived.SetResult();
            await answer.Task;
        });
        // Its callback would carry it in base64, a third longer than it is.
        var request = Service.Request(destination.Url, new string('x', 250_000), ("Upstash-Callback", "https://example.com"));
        var id = (await service.Get<Publisher>().PublishAsync(request)).Messages[0].Id;
        var lease = Assert.Single(await service.Store.Queues.ReceiveAsync(WorkItem.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero));
        var step = service.Get<DeliveryService>().RunAsync(lease.Text, lease);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        await service.Get<Cancellation>().CancelAsync(id);
        answer.SetResult();
        await step;

        Assert.Equal(MessageState.Canceled, Assert.Single(await service.MessagesAsync()).Progress.State);
        Assert.Empty(watched!.BodyNames);
    }

    [Fact]
    public async Task A_dead_letter_that_is_written_again_leaves_what_others_read()
    {
        WatchedStore? watched = null;
        await using var service = new Service(inner => watched = new WatchedStore(inner));
        var message = new Message { Id = service.Get<MessageIds>().Next(), Url = "https://example.com", BodyName = "of the message" };
        var letter = new DeadLetter(DlqId.New(service.Now), message, 500);
        var (letters, body) = (service.Get<DeadLetterStore>(), Encoding.UTF8.GetBytes(Big("")));
        var first = await letters.AddingAsync(letter, body, default);
        var second = await letters.AddingAsync(letter, body, default);
        Assert.NotEqual(first.Letter.Message.BodyName, second.Letter.Message.BodyName);

        Assert.True((await service.Store.Tables.CommitAsync(first.Commit)).Applied);
        Assert.False((await service.Store.Tables.CommitAsync(second.Commit)).Applied);
        await letters.RemoveUnusedAsync(first);
        await letters.RemoveUnusedAsync(second);

        Assert.Equal(body, await letters.BodyAsync((await letters.GetAsync(letter.Id))!));
        Assert.Equal([first.Letter.Message.BodyName!], watched!.BodyNames);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dead_letter_whose_worker_died_over_it_is_there_with_its_payload_unless_that_was_lost(bool isLost)
    {
        WatchedStore? watched = null;
        await using var service = new Service(inner => watched = new WatchedStore(inner));
        await using var destination = await StandIn.StartAsync(500);
        var request = Service.Request(destination.Url, Big("1"), ("Upstash-Retries", "0"));
        var id = (await service.Get<Publisher>().PublishAsync(request)).Messages[0].Id;
        var died = false;
        watched!.Faults = commit =>
        {
            if (commit.Table != DeadLetterStore.Table || died)
                return Fault.None;
            died = true;
            throw new ObjectDisposedException("the process");
        };
        var lease = Assert.Single(await service.Store.Queues.ReceiveAsync(WorkItem.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => service.Get<DeliveryService>().RunAsync(lease.Text, lease));

        var stored = (await service.Get<MessageStore>().GetAsync(id))!;
        if (isLost)
            await service.Store.Bodies.DeleteAsync(stored.Message.BodyName!);

        await service.New<DeliveryService>().RunAsync(lease.Text, lease);

        var letter = (await service.Get<DeadLetterStore>().GetAsync(DlqId.Parse(stored.Progress.DlqId!)))!;
        if (isLost)
        {
            Assert.Equal((500, stored.Message.BodyName), (letter.ResponseStatus, letter.Message.BodyName));
            return;
        }
        Assert.Equal(Big("1"), Encoding.UTF8.GetString(await service.Get<DeadLetterStore>().BodyAsync(letter)));
        Assert.Equal(Big("1"), Encoding.UTF8.GetString(await service.Get<MessageStore>().BodyAsync(stored.Message)));
    }
}
