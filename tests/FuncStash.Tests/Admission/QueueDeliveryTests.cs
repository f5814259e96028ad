using System.Globalization;
using CsCheck;
using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.Messages;
using FuncStash.Queues;

namespace FuncStash.Tests.Admission;

/// <summary>Queues over HTTP, with real deliveries (protocol#enqueue, protocol#queues).</summary>
public sealed class QueueDeliveryTests
{
    private static int RootOf(string path) => int.Parse(path.Split('/')[^1], CultureInfo.InvariantCulture);

    private static int Failures(int[] failures, string path, int earlier) => earlier < failures[RootOf(path)] ? 500 : 200;

    [Fact]
    public Task One_after_the_other_with_retries_and_callbacks() =>
        Gen.Select(Gen.Int[0, 3].Array[5], Gen.Int[0, 2].Array[5], Gen.Int[1, 2]).SampleAsync(async (failures, callbackFailures, places) =>
        {
            await using var service = await LiveService.StartAsync();
            var receiver = service.Receiver;
            receiver.Answer = async (path, earlier) =>
            {
                await Task.Yield();
                return Failures(path.StartsWith("/callback", StringComparison.Ordinal) ? callbackFailures : failures, path, earlier);
            };
            await service.SendAsync("POST", "/v2/queues", $$"""{"queueName":"q","parallelism":{{places}}}""");
            var ids = new List<string>();
            for (var i = 0; i < failures.Length; i++)
            {
                // Two retries: a third failure is for good. Callbacks have one.
                ids.Add(await service.EnqueueAsync("q", $"/jobs/{i}", ("Upstash-Retries", "2"),
                    ("Upstash-Callback", receiver.Url($"/callback/{i}")), ("Upstash-Callback-Retries", "1"),
                    ("Upstash-Failure-Callback", receiver.Url($"/callback-failure/{i}"))));
            }

            await service.RunUntilAsync(async () =>
                (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>() == 0);

            for (var i = 0; i < ids.Count; i++)
            {
                Assert.Equal(failures[i] < 3 ? MessageState.Delivered : MessageState.Failed, await service.StateOfAsync(ids[i]));
                Assert.Equal(Math.Min(failures[i] + 1, 3), receiver.Count($"/jobs/{i}"));
            }
            var roots = Enumerable.Range(0, ids.Count)
                .Select(i => receiver.Arrivals.Where(a => RootOf(a.Path) == i).ToList()).ToList();
            for (var i = places; i < ids.Count; i++)
            {
                // All but the places ahead of it have ended before it began, callbacks included.
                for (var ahead = 0; ahead <= i - places; ahead++)
                    Assert.True(places > 1 || roots[ahead].Max(a => a.Ended) < roots[i].Min(a => a.Begun), $"{ahead} {i}");
                var begun = roots[i].Min(a => a.Begun);
                var open = roots.Take(i).Count(root => root.Max(a => a.Ended) > begun);
                Assert.True(open < places, $"{open} were not done when {i} began");
            }
        }, iter: 12, threads: 1);

    [Fact]
    public async Task A_paused_queue_keeps_its_messages_until_it_is_resumed()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","paused":true}""");
        await service.EnqueueAsync("q", "/1");
        await service.EnqueueAsync("q", "/2");
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);
        Assert.Equal(2, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());

        Assert.Equal(200, (await service.SendAsync("POST", "/v2/queues/q/resume")).Status);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        Assert.Equal(["/1", "/2"], service.Receiver.Paths);
    }

    [Fact]
    public async Task A_deleted_queue_takes_its_messages_along_and_stays_away()
    {
        await using var service = await LiveService.StartAsync();
        var answer = new TaskCompletionSource<int>();
        service.Receiver.Answer = (_, _) => answer.Task;
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Add(await service.EnqueueAsync("q", $"/{i}"));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);

        Assert.Equal(200, (await service.SendAsync("DELETE", "/v2/queues/q")).Status);
        Assert.Equal("[]", (await service.SendAsync("GET", "/v2/queues")).Json!.ToJsonString());
        answer.SetResult(200);
        await service.RunNowAsync();

        // The one in flight comes back to a queue that is gone.
        Assert.Equal("[]", (await service.SendAsync("GET", "/v2/queues")).Json!.ToJsonString());
        Assert.Equal(["/0"], service.Receiver.Paths);
        foreach (var id in ids)
            Assert.Equal(MessageState.Canceled, await service.StateOfAsync(id));
    }

    [Fact]
    public async Task A_delayed_message_goes_with_its_queue()
    {
        await using var service = await LiveService.StartAsync();
        var gone = await service.EnqueueAsync("q", "/gone", ("Upstash-Delay", "10s"));
        Assert.Equal(200, (await service.SendAsync("GET", "/v2/queues/q")).Status);
        await service.SendAsync("DELETE", "/v2/queues/q");
        var kept = await service.EnqueueAsync("other", "/kept", ("Upstash-Delay", "20s"), ("Upstash-Retries", "1"));

        await service.RunUntilAsync(async () => await service.StateOfAsync(kept) == MessageState.Delivered);
        await service.RunNowAsync();
        Assert.Equal(["/kept"], service.Receiver.Paths);
        Assert.Equal(MessageState.Canceled, await service.StateOfAsync(gone));
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/queues/q")).Status);
    }

    [Theory]
    [InlineData("by an upsert")]
    [InlineData("by an enqueue")]
    [InlineData("by a delayed enqueue")]
    public async Task So_it_does_though_there_is_one_of_that_name_again(string how)
    {
        await using var service = await LiveService.StartAsync();
        var delay = ("Upstash-Delay", "10s");
        var gone = await service.EnqueueAsync("q", "/gone", delay, ("Upstash-Deduplication-Id", "d"));
        service.Clock.Advance(1);
        await service.SendAsync("DELETE", "/v2/queues/q");
        if (how == "by an upsert")
            await service.SendAsync("POST", "/v2/queues", """{"queueName":"q"}""");
        else
            await service.EnqueueAsync("q", "/new", how == "by an enqueue" ? [] : [delay]);
        service.Clock.Advance(11_000);
        await service.RunUntilAsync(async () => await service.StateOfAsync(gone) == MessageState.Canceled);
        var kept = await service.EnqueueAsync("q", "/kept", ("Upstash-Deduplication-Id", "d"));

        await service.RunUntilAsync(async () => await service.StateOfAsync(kept) == MessageState.Delivered);
        Assert.Equal(how == "by an upsert" ? ["/kept"] : ["/new", "/kept"], service.Receiver.Paths);
        Assert.Equal(0, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task So_it_does_when_another_process_deletes_the_queue(bool again)
    {
        await using var service = await LiveService.StartAsync();
        var gone = await service.EnqueueAsync("q", "/gone", ("Upstash-Delay", "10s"));
        service.Clock.Advance(1);
        var gates = service.New<Gates>();
        var messages = service.Get<MessageStore>();
        var other = new QueueService(gates, new Cancellation(messages, new AdmissionService(gates, messages), service.Clock), service.Clock);
        await other.DeleteAsync("q");
        if (again)
            await other.UpsertAsync("q", 1, false);
        service.Clock.Advance(11_000);

        await service.RunUntilAsync(async () => await service.StateOfAsync(gone) is MessageState.Canceled or MessageState.Delivered);

        Assert.Equal(MessageState.Canceled, await service.StateOfAsync(gone));
        Assert.Empty(service.Receiver.Paths);
    }

    [Fact]
    public async Task Delayed_or_not_the_messages_of_a_batch_go_into_the_queue_there_is()
    {
        await using var service = await LiveService.StartAsync();
        var items = string.Join(',', Enumerable.Range(0, 6).Select(i => $$$"""
            {"destination":"{{{service.Receiver.Url($"/{i}")}}}","queue":"q","headers":{{{(i % 2 == 0 ? "{}" : "{\"Upstash-Delay\":\"5s\"}")}}}}
            """));
        Assert.Equal(200, (await service.SendAsync("POST", "/v2/batch", $"[{items}]")).Status);

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 3);
        service.Clock.Advance(6_000);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 6);
        Assert.Equal(["/0", "/2", "/4"], service.Receiver.Paths.Take(3));
        Assert.Equal(["/1", "/3", "/5"], service.Receiver.Paths.Skip(3).Order());
    }

    [Fact]
    public async Task Its_deduplication_id_is_free_before_it_is_due_though_there_is_one_of_that_name_again()
    {
        await using var service = await LiveService.StartAsync();
        (string, string)[] headers = [("Upstash-Deduplication-Id", "d"), ("Upstash-Delay", "10s")];
        var gone = await service.EnqueueAsync("q", "/gone", headers);
        service.Clock.Advance(1);
        await service.SendAsync("DELETE", "/v2/queues/q");
        var kept = await service.EnqueueAsync("q", "/kept", ("Upstash-Delay", "10s"));

        var again = await service.EnqueueAsync("q", "/again", headers);

        Assert.NotEqual(gone, again);
        Assert.Equal(MessageState.Canceled, await service.StateOfAsync(gone));
        service.Clock.Advance(11_000);
        await service.RunUntilAsync(async () =>
            await service.StateOfAsync(again) == MessageState.Delivered && await service.StateOfAsync(kept) == MessageState.Delivered);
        Assert.Equal(["/again", "/kept"], service.Receiver.Paths.Order());
    }

    [Fact]
    public async Task A_delayed_message_stays_with_its_queue_whatever_is_changed_of_it()
    {
        await using var service = await LiveService.StartAsync();
        service.Receiver.Answer = (_, earlier) => Task.FromResult(earlier == 0 ? 500 : 200);
        var id = await service.EnqueueAsync("q", "/x", ("Upstash-Delay", "10s"), ("Upstash-Retries", "1"));
        service.Clock.Advance(1);
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","parallelism":3,"paused":true}""");
        await service.SendAsync("POST", "/v2/queues/q/resume");
        service.Clock.Advance(11_000);
        await service.RunUntilAsync(async () => await service.StateOfAsync(id) == MessageState.Delivered);
    }

    [Fact]
    public async Task A_dead_letter_that_was_delayed_is_retried_in_the_queue_there_is()
    {
        await using var service = await LiveService.StartAsync();
        service.Receiver.Answer = (_, earlier) => Task.FromResult(earlier == 0 ? 500 : 200);
        var failed = await service.EnqueueAsync("q", "/x", ("Upstash-Delay", "10s"), ("Upstash-Retries", "0"));
        service.Clock.Advance(11_000);
        await service.RunUntilAsync(async () => await service.StateOfAsync(failed) == MessageState.Failed);
        await service.SendAsync("DELETE", "/v2/queues/q");
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q"}""");
        var letters = await service.SendAsync("GET", "/v2/dlq");

        var retried = await service.SendAsync("POST", "/v2/dlq/retry/" + (string)letters.Json!["messages"]![0]!["dlqId"]!);

        var id = (string)retried.Json!["messageId"]!;
        await service.RunUntilAsync(async () => await service.StateOfAsync(id) == MessageState.Delivered);
    }

    [Fact]
    public async Task Deleting_a_queue_does_not_wait_for_what_its_line_holds_in_vain()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","paused":true}""");
        var gone = MessageId.Create(service.Clock.Now, 1, 1);
        await service.Get<Gates>().RunAsync(GateKind.Queue, "q", new GateOperation.Join(
            new Candidate(gone.Text, 0, Candidate.OrderOf(gone, service.Clock.Now), 0), announce: true, isNew: true, limits: null));

        await service.SendAsync("DELETE", "/v2/queues/q").WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/queues/q")).Status);
    }

    [Fact]
    public async Task A_delayed_message_gets_in_line_when_it_is_due()
    {
        await using var service = await LiveService.StartAsync();
        await service.EnqueueAsync("q", "/late", ("Upstash-Delay", "10s"));
        await service.EnqueueAsync("q", "/first");
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);
        await service.SendAsync("POST", "/v2/queues/q/pause");
        service.Clock.Advance(11_000);
        await service.RunNowAsync();
        await service.EnqueueAsync("q", "/last");
        await service.SendAsync("POST", "/v2/queues/q/resume");

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 3);
        Assert.Equal(["/first", "/late", "/last"], service.Receiver.Paths);
    }

    [Fact]
    public async Task A_cancelled_message_lets_the_next_one_through()
    {
        await using var service = await LiveService.StartAsync();
        var hold = new TaskCompletionSource<int>();
        service.Receiver.Answer = (path, _) => path == "/0" ? hold.Task : Task.FromResult(200);
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
            ids.Add(await service.EnqueueAsync("q", $"/{i}"));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);

        Assert.InRange((await service.SendAsync("DELETE", $"/v2/messages/{ids[2]}")).Status, 200, 202);
        Assert.InRange((await service.SendAsync("DELETE", $"/v2/messages/{ids[0]}")).Status, 200, 202);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 3);
        hold.SetResult(200);
        await service.RunNowAsync();

        Assert.Equal(["/0", "/1", "/3"], service.Receiver.Paths);
        Assert.Equal(0, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());
    }

    [Fact]
    public async Task An_upsert_changes_what_it_names_and_a_bad_one_nothing()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","parallelism":3,"paused":true}""");
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q"}""");
        await service.EnqueueAsync("q", "/now");
        await service.EnqueueAsync("q", "/later", ("Upstash-Delay", "1h"));
        var queue = (await service.SendAsync("GET", "/v2/queues/q")).Json!;
        Assert.Equal((3, true), (queue["parallelism"]!.GetValue<int>(), queue["paused"]!.GetValue<bool>()));

        Assert.Equal(400, (await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","parallelism":0}""")).Status);
        Assert.Equal(400, (await service.SendAsync("POST", "/v2/queues", """{"queueName":"a b"}""")).Status);
        Assert.Equal(404, (await service.SendAsync("POST", "/v2/queues/none/pause")).Status);
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/queues/none")).Status);
        Assert.Equal(200, (await service.SendAsync("DELETE", "/v2/queues/none")).Status);
        Assert.Single((await service.SendAsync("GET", "/v2/queues")).Json!.AsArray());
    }

    [Fact]
    public async Task A_URL_group_is_enqueued_endpoint_by_endpoint()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/topics/g/endpoints",
            $$"""{"endpoints":[{"url":"{{service.Receiver.Url("/a")}}"},{"url":"{{service.Receiver.Url("/b")}}"}]}""");

        var (status, json) = await service.SendAsync("POST", "/v2/enqueue/q/g", "x");
        Assert.Equal((200, 2), (status, json!.AsArray().Count));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        Assert.Equal(["/a", "/b"], service.Receiver.Paths);
        Assert.Equal(1, service.Receiver.MostAtOnce);
    }
}
