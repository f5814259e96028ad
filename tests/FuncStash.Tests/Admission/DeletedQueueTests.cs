using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.Messages;
using FuncStash.Queues;

namespace FuncStash.Tests.Admission;

/// <summary>A deleted queue takes its messages along, those that are delayed too, and no others (protocol#queues).</summary>
public sealed class DeletedQueueTests
{
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
}
