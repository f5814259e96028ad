using System.Text.Json.Nodes;
using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Admission;

/// <summary>Queues whose workers and publishers die at every commit they make.</summary>
public sealed class QueueCrashTests
{
    [Theory]
    [InlineData(Fault.Before)]
    [InlineData(Fault.After)]
    public async Task Whichever_commit_a_worker_dies_at_all_is_delivered_in_order(object fault)
    {
        for (var at = 0; at < 40; at++)
        {
            WatchedStore? watched = null;
            await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
            service.Receiver.Answer = (path, earlier) => Task.FromResult(path == "/0" && earlier == 0 ? 500 : 200);
            for (var i = 0; i < 3; i++)
            {
                await service.EnqueueAsync("q", $"/{i}", ("Upstash-Callback", service.Receiver.Url($"/callback{i}")),
                    ("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1"));
            }
            var commits = 0;
            watched!.Faults = _ => Interlocked.Increment(ref commits) - 1 == at ? (Fault)fault : Fault.None;

            await service.RunUntilAsync(async () =>
                (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>() == 0);
            await service.RunNowAsync();

            var firsts = service.Receiver.Paths.Where(p => !p.StartsWith("/callback", StringComparison.Ordinal)).Distinct();
            Assert.Equal(["/0", "/1", "/2"], firsts);
            Assert.All(["/callback0", "/callback1", "/callback2"], path => Assert.True(service.Receiver.Count(path) > 0, path));
            Assert.Empty((await service.Get<Gates>().GetAsync(GateKind.FlowKey, "k"))!.Inside);
            if (commits <= at)
                return;
        }
        Assert.Fail("there was always one more commit");
    }

    [Fact]
    public async Task A_batch_that_was_stored_in_part_and_is_sent_again_goes_out_in_its_order()
    {
        const int Stored = 40, All = 60;
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        // Its publisher died before any of the first part got in line.
        watched!.Faults = commit => commit.Table == GateRows.Table ? Fault.Before : Fault.None;
        Assert.Equal(503, (await SendAsync(Stored)).Status);
        watched.Faults = _ => Fault.None;

        var (status, answers) = await SendAsync(All);

        Assert.Equal(200, status);
        Assert.Equal(Stored, answers!.AsArray().Count(answer => answer!["deduplicated"]?.GetValue<bool>() == true));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == All);
        Assert.Equal(Enumerable.Range(0, All).Select(i => $"/{i}"), service.Receiver.Paths);

        Task<(int Status, JsonNode? Json)> SendAsync(int count) => service.SendAsync("POST", "/v2/batch", new JsonArray([.. Enumerable.Range(0, count).Select(i => new JsonObject
        {
            ["destination"] = service.Receiver.Url($"/{i}"),
            ["queue"] = "q",
            ["headers"] = new JsonObject { ["Upstash-Deduplication-Id"] = $"d{i}" },
        })]).ToJsonString());
    }

    [Theory]
    [InlineData(Fault.Before)]
    [InlineData(Fault.BetweenWritesAndSends)]
    [InlineData(Fault.After)]
    public async Task A_publisher_that_died_before_its_message_got_in_line_is_followed_by_the_next(object fault)
    {
        for (var at = 0; at < 20; at++)
        {
            WatchedStore? watched = null;
            await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
            var commits = 0;
            watched!.Faults = _ => commits++ == at ? (Fault)fault : Fault.None;
            var target = "/v2/enqueue/q/" + service.Receiver.Url("/x");
            var first = await service.SendAsync("POST", target, "x", ("Upstash-Deduplication-Id", "d"));
            // It took fewer commits than that.
            if (first.Status == 200)
                return;
            Assert.Equal(503, first.Status);
            var again = await service.SendAsync("POST", target, "x", ("Upstash-Deduplication-Id", "d"));
            Assert.InRange(again.Status, 200, 202);
            var id = again.Json!["messageId"]!.GetValue<string>();

            for (var i = 0; i < 2 && service.Receiver.Paths.Count == 0; i++)
            {
                await service.RunNowAsync();
                service.Clock.Advance(90_000);
                await service.Get<GateSweep>().RunAsync();
            }
            await service.RunNowAsync();
            Assert.Equal(["/x"], service.Receiver.Paths);
            Assert.Equal(MessageState.Delivered, await service.StateOfAsync(id));
            Assert.Equal(0, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());
        }
        Assert.Fail("there was always one more commit");
    }

    [Fact]
    public async Task A_callback_that_ends_before_it_holds_the_place_does_not_keep_it()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        var answer = new TaskCompletionSource<int>();
        service.Receiver.Answer = (path, earlier) =>
            path == "/callback" ? answer.Task : Task.FromResult(earlier == 0 ? 500 : 200);
        var messages = service.Get<MessageStore>();
        var id = MessageId.Parse(await service.EnqueueAsync("q", "/0", ("Upstash-Callback", service.Receiver.Url("/callback"))));
        await service.RunUntilAsync(() => service.Receiver.Count("/callback") == 1);
        var settled = (await messages.GetAsync(id))!;
        var callback = MessageId.Parse(Assert.Single(settled.Followers));
        var key = MessageRows.Key(MessageRows.Live, callback);
        var alive = await service.Store.Tables.GetAsync(MessageRows.Table, MessageRows.Partition(callback), key);
        Assert.NotNull(alive);
        answer.SetResult(200);
        await service.RunNowAsync();
        Assert.Equal(MessageState.Delivered, await service.StateOfAsync(callback.Text));

        // The worker of the message saw it alive just before it ended, and only now makes it a holder.
        var looks = 0;
        watched!.Stale = row => row == key && looks++ == 0 ? alive : null;
        await service.Get<AdmissionService>().LeaveAsync(settled);
        Assert.Equal(2, looks);
        await service.RunUntilAsync(async () => await service.StateOfAsync(id.Text) == MessageState.Delivered);
        await service.RunNowAsync();
        Assert.Empty((await service.Get<Gates>().GetAsync(GateKind.Queue, "q"))!.Inside);
    }
}
