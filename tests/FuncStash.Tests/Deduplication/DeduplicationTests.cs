using System.Text.Json.Nodes;
using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Tests.Admission;

namespace FuncStash.Tests.Deduplication;

/// <summary>Deduplication by id and by content (protocol#deduplication).</summary>
public sealed class DeduplicationTests
{
    private static readonly (string, string) s_byContent = ("Upstash-Content-Based-Deduplication", "true");

    private static Task<(int Status, JsonNode? Json)> PublishAsync(
        LiveService service, string path, string body, params (string, string)[] headers) =>
        service.SendAsync("POST", "/v2/publish/" + service.Receiver.Url(path), body, headers);

    private static string IdOf((int Status, JsonNode? Json) answer) => (string)answer.Json!["messageId"]!;

    [Fact]
    public async Task An_id_stands_for_its_first_message_for_ten_minutes_from_then_on()
    {
        await using var service = await LiveService.StartAsync();
        var id = ("Upstash-Deduplication-Id", "order-1");
        var first = await PublishAsync(service, "/a", "1", id);
        await service.RunNowAsync();
        service.Clock.Advance(599_000);
        // Another destination, body and call: the id alone counts. It does not make the window longer either.
        var again = await service.SendAsync("POST", "/v2/enqueue/q/" + service.Receiver.Url("/b"), "2", id);
        Assert.Equal((200, 202), (first.Status, again.Status));
        Assert.Equal((IdOf(first), true), (IdOf(again), (bool)again.Json!["deduplicated"]!));

        service.Clock.Advance(2000);
        var later = await PublishAsync(service, "/a", "1", id);
        Assert.Equal(200, later.Status);
        Assert.NotEqual(IdOf(first), IdOf(later));
        await service.RunNowAsync();
        Assert.Equal(["/a", "/a"], service.Receiver.Paths);
        // The queue of the duplicate was never needed.
        Assert.Equal(400, (await PublishAsync(service, "/a", "", ("Upstash-Deduplication-Id", "a:b"))).Status);
    }

    [Fact]
    public async Task Content_is_destination_body_content_type_and_forwarded_headers()
    {
        await using var service = await LiveService.StartAsync();
        (string, string)[] all = [s_byContent, ("Content-Type", "text/a"), ("Upstash-Forward-X", "1"), ("Upstash-Retries", "3")];
        var first = await PublishAsync(service, "/a", "body", all);

        // What is no part of it: other settings, the order and the case of names.
        var same = await PublishAsync(service, "/a", "body",
            ("upstash-forward-x", "1"), ("Upstash-Retries", "5"), ("Content-Type", "text/a"), ("Upstash-Label", "l"), s_byContent);
        Assert.Equal((202, IdOf(first)), (same.Status, IdOf(same)));

        Assert.Equal(200, (await PublishAsync(service, "/b", "body", all)).Status);
        Assert.Equal(200, (await PublishAsync(service, "/a", "other", all)).Status);
        Assert.Equal(200, (await PublishAsync(service, "/a", "body", s_byContent, ("Content-Type", "text/b"), ("Upstash-Forward-X", "1"))).Status);
        Assert.Equal(200, (await PublishAsync(service, "/a", "body", s_byContent, ("Content-Type", "text/a"), ("Upstash-Forward-X", "2"))).Status);
        Assert.Equal(200, (await PublishAsync(service, "/a", "body", s_byContent, ("Content-Type", "text/a"))).Status);
        // The explicit id is stronger.
        Assert.Equal(200, (await PublishAsync(service, "/a", "body", [.. all, ("Upstash-Deduplication-Id", "x")])).Status);
        await service.RunNowAsync();
        Assert.Equal(7, service.Receiver.Paths.Count);
    }

    [Fact]
    public async Task Of_many_publishes_at_once_one_makes_the_message()
    {
        await using var service = await LiveService.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => i % 2 == 0
            ? PublishAsync(service, "/x", "same", ("Upstash-Deduplication-Id", "d"))
            : service.SendAsync("POST", "/v2/enqueue/q/" + service.Receiver.Url("/x"), "same", ("Upstash-Deduplication-Id", "d"))));

        Assert.Single(answers.Select(IdOf).Distinct());
        Assert.Single(answers, a => a.Status == 200);
        Assert.Equal(39, answers.Count(a => a.Status == 202 && (bool)a.Json!["deduplicated"]!));
        // One that was sent on its way twice waits a second where both come at once.
        await service.RunUntilAsync(() => service.Receiver.Paths.Count > 0);
        await service.RunNowAsync();
        Assert.Equal(["/x"], service.Receiver.Paths);
    }

    [Fact]
    public async Task Every_endpoint_of_a_group_has_its_own_first_message()
    {
        await using var service = await LiveService.StartAsync();
        string Endpoint(string path) => $$"""{"endpoints":[{"url":"{{service.Receiver.Url(path)}}"}]}""";
        await service.SendAsync("POST", "/v2/topics/g/endpoints", Endpoint("/a"));
        var first = await service.SendAsync("POST", "/v2/publish/g", "x", ("Upstash-Deduplication-Id", "d"));
        await service.SendAsync("POST", "/v2/topics/g/endpoints", Endpoint("/b"));
        var second = await service.SendAsync("POST", "/v2/publish/g", "x", ("Upstash-Deduplication-Id", "d"));
        var third = await service.SendAsync("POST", "/v2/publish/g", "x", ("Upstash-Deduplication-Id", "d"));
        var alone = await PublishAsync(service, "/a", "x", ("Upstash-Deduplication-Id", "d"));

        Assert.Equal([200, 200, 202, 200], [first.Status, second.Status, third.Status, alone.Status]);
        Assert.Equal((string)first.Json![0]!["messageId"]!, (string)second.Json![0]!["messageId"]!);
        Assert.Equal(["true", null], second.Json.AsArray().Select(m => m!["deduplicated"]?.ToJsonString()));
        await service.RunNowAsync();
        Assert.Equal(["/a", "/a", "/b"], service.Receiver.Paths.Order());
    }

    [Fact]
    public async Task An_id_that_was_reserved_by_a_publisher_that_died_is_used_by_the_next_one_and_once()
    {
        await using var service = await LiveService.StartAsync();
        var reserved = service.Get<MessageIds>().Next();
        Assert.Null(await service.Get<FuncStash.Deduplication.Deduplicator>().ReserveAsync("d", reserved));

        var answers = await Task.WhenAll(Enumerable.Range(0, 10)
            .Select(_ => PublishAsync(service, "/x", "x", ("Upstash-Deduplication-Id", "d"))));
        // One of them is accepted in its place.
        Assert.All(answers, a => Assert.Equal(reserved.Text, IdOf(a)));
        Assert.Single(answers, a => a.Status == 200);
        Assert.Equal(9, answers.Count(a => a.Status == 202));
        await service.RunNowAsync();
        Assert.Equal(["/x"], service.Receiver.Paths);
        Assert.Equal(MessageState.Delivered, await service.StateOfAsync(reserved.Text));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2_000)]
    public async Task A_message_that_was_stored_under_an_earlier_id_is_not_taken_for_one_whose_queue_is_gone(int ahead)
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        Task<(int Status, JsonNode? Json)> SendAsync() =>
            service.SendAsync("POST", "/v2/enqueue/q/" + service.Receiver.Url("/x"), "x", ("Upstash-Deduplication-Id", "d"));
        var reserved = service.Get<MessageIds>().Next();
        Assert.Null(await service.Get<FuncStash.Deduplication.Deduplicator>().ReserveAsync("d", reserved));
        service.Clock.Advance(5 + ahead);
        // Its publisher stores it, and dies before it creates the queue.
        watched!.Faults = commit => commit.Table == GateRows.Table ? Fault.Before : Fault.None;
        Assert.Equal(503, (await SendAsync()).Status);
        Assert.Equal(MessageState.Created, await service.StateOfAsync(reserved.Text));
        watched.Faults = _ => Fault.None;
        // By so many milliseconds the publisher's clock was ahead of others'.
        service.Clock.Advance(-ahead);

        var next = await SendAsync();

        Assert.Equal((202, reserved.Text), (next.Status, IdOf(next)));
        await service.EnqueueAsync("q", "/later");
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        await service.RunNowAsync();
        Assert.Equal(["/x", "/later"], service.Receiver.Paths);
        Assert.Equal(MessageState.Delivered, await service.StateOfAsync(reserved.Text));
    }

    [Fact]
    public async Task It_holds_after_the_first_message_failed()
    {
        await using var service = await LiveService.StartAsync();
        service.Receiver.Answer = (_, _) => Task.FromResult(500);
        var id = ("Upstash-Deduplication-Id", "d");
        var failed = await PublishAsync(service, "/x", "x", id, ("Upstash-Retries", "0"));
        await service.RunNowAsync();
        Assert.Equal(202, (await PublishAsync(service, "/x", "x", id)).Status);
        await service.RunNowAsync();
        Assert.Equal(["/x"], service.Receiver.Paths);
        Assert.Equal(MessageState.Failed, await service.StateOfAsync(IdOf(failed)));
    }

    [Theory]
    [InlineData("publish")]
    [InlineData("enqueue/q")]
    public async Task A_duplicate_that_was_overtaken_does_not_send_the_message_on_its_way_twice(string call)
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        service.Receiver.Answer = (_, earlier) => Task.FromResult(earlier == 0 ? 500 : 200);
        (string, string)[] headers =
        [
            ("Upstash-Deduplication-Id", "d"), ("Upstash-Retry-Delay", "1000"),
            ("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1"),
        ];
        Task<(int Status, JsonNode? Json)> SendAsync() => service.SendAsync("POST", $"/v2/{call}/" + service.Receiver.Url("/x"), "x", headers);
        var id = MessageId.Parse(IdOf(await SendAsync()));
        var key = MessageRows.Key(MessageRows.Live, id);
        var created = await service.Store.Tables.GetAsync(MessageRows.Table, MessageRows.Partition(id), key);
        await service.RunNowAsync();
        Assert.Equal(MessageState.Retry, await service.StateOfAsync(id.Text));

        // The publisher of the duplicate saw the message before its first attempt, and goes on only now.
        var looks = 0;
        watched!.Stale = row => row == key && looks++ == 0 ? created : null;
        Assert.Equal(202, (await SendAsync()).Status);
        await service.RunNowAsync();
        service.Clock.Advance(1500);
        // Two workers, each in a process of its own.
        var leases = await service.Store.Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero);
        await Task.WhenAll(leases.Select(lease => service.New<DeliveryService>().RunAsync(lease.Text, lease)));
        await service.RunNowAsync();

        Assert.Equal(["/x", "/x"], service.Receiver.Paths);
        Assert.Equal(MessageState.Delivered, await service.StateOfAsync(id.Text));
    }
}
