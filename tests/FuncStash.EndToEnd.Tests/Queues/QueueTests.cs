using System.Text.Json.Nodes;

namespace FuncStash.EndToEnd.Tests.Queues;

/// <summary>Queues as the SDK uses them (protocol#queues).</summary>
public abstract class QueueTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    private readonly string _queue = Unique("queue");

    private Task<JsonNode?> QueueAsync(string method, object? argument = null) =>
        Sdk.CallAsync(Host, "queue." + method, argument, on: new { queueName = _queue });

    private async Task<string> EnqueueAsync(string path, object? more = null)
    {
        var request = JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(more ?? new { }))!.AsObject();
        request["url"] = Receiver.Url(path);
        request["body"] ??= new JsonObject { ["path"] = path };
        return (string)(await QueueAsync("enqueueJSON", request))!["messageId"]!;
    }

    public override async ValueTask DisposeAsync()
    {
        if (Hosts.Unavailable is null)
            await QueueAsync("delete");
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_queue_is_made_changed_listed_and_deleted()
    {
        await QueueAsync("upsert", new { parallelism = 2 });
        await QueueAsync("upsert", new { parallelism = 3, paused = true });
        var queue = (await QueueAsync("get"))!;
        Assert.Equal(_queue, (string)queue["name"]!);
        Assert.Equal((3, true, 0), ((int)queue["parallelism"]!, (bool)queue["paused"]!, (int)queue["lag"]!));
        Assert.InRange((long)queue["createdAt"]!, Now() - 60_000, Now() + 1000);
        await QueueAsync("resume");
        Assert.False((bool)(await QueueAsync("get"))!["paused"]!);
        await QueueAsync("pause");
        Assert.True((bool)(await QueueAsync("get"))!["paused"]!);
        Assert.Contains(_queue, (await QueueAsync("list"))!.AsArray().Select(q => (string)q!["name"]!));

        await QueueAsync("delete");
        Assert.DoesNotContain(_queue, (await QueueAsync("list"))!.AsArray().Select(q => (string)q!["name"]!));
        Assert.Equal(404, (await Assert.ThrowsAsync<SdkException>(() => QueueAsync("get"))).Status);
        await QueueAsync("delete");
    }

    [Fact]
    public async Task A_message_waits_for_the_retry_and_the_callback_of_the_one_ahead()
    {
        Receiver.Answers("/1", Answer.Of(500), Answer.Of(200));
        var first = await EnqueueAsync("/1", new { retryDelay = "200", callback = Receiver.Url("/callback") });
        await EnqueueAsync("/2");
        await EnqueueAsync("/3");

        await Receiver.WaitForAsync("/3");
        await Wire.StatesUntilAsync(first, "DELIVERED");

        // One callback for each of the two attempts.
        Assert.Equal(["/1", "/callback", "/1", "/callback", "/2", "/3"], Order());
        Assert.Equal(_queue, (string?)(await Wire.EventsAsync("messageId=" + first))[0]["queueName"]);

        // The first callback and the retry wait for nobody but time.
        IEnumerable<string> Order()
        {
            var paths = Receiver.All.Select(request => request.Path).ToList();
            var retry = paths.FindIndex(1, path => path == "/1");
            var callback = paths.IndexOf("/callback");
            return callback < retry ? paths : paths.Select((path, i) => i == retry ? "/callback" : i == callback ? "/1" : path);
        }
    }

    [Fact]
    public async Task A_paused_queue_delivers_nothing_and_then_all_in_order()
    {
        await QueueAsync("upsert", new { paused = true });
        for (var i = 0; i < 5; i++)
            await EnqueueAsync($"/{i}");
        var plain = await Wire.PublishAsync(Receiver.Url("/plain"));
        await Wire.StatesUntilAsync(plain, "DELIVERED");
        Assert.Equal(["/plain"], Receiver.All.Select(request => request.Path));
        Assert.Equal(5, (int)(await QueueAsync("get"))!["lag"]!);

        await QueueAsync("resume");
        await Receiver.WaitForAsync("/4");
        Assert.Equal(["/plain", "/0", "/1", "/2", "/3", "/4"], Receiver.All.Select(request => request.Path));
    }

    [Fact]
    public async Task No_more_are_in_flight_than_the_parallelism()
    {
        await QueueAsync("upsert", new { parallelism = 2 });
        var release = new TaskCompletionSource();
        foreach (var path in (string[])["/a", "/b"])
            Receiver.Answers(path, Answer.Hang(release.Task));
        foreach (var path in (string[])["/a", "/b", "/c"])
            await EnqueueAsync(path);
        await Receiver.WaitForAsync("/a");
        await Receiver.WaitForAsync("/b");
        var plain = await Wire.PublishAsync(Receiver.Url("/plain"));
        await Wire.StatesUntilAsync(plain, "DELIVERED");
        Assert.Empty(Receiver.Requests("/c"));

        release.SetResult();
        await Receiver.WaitForAsync("/c");
    }

    [Fact]
    public async Task A_delayed_message_goes_with_its_queue_though_there_is_one_of_that_name_again()
    {
        var gone = await EnqueueAsync("/gone", new { delay = 3 });
        await QueueAsync("delete");
        var kept = await EnqueueAsync("/kept", new { delay = 3 });

        await Wire.StatesUntilAsync(gone, "CANCELED");
        await Wire.StatesUntilAsync(kept, "DELIVERED");
        Assert.Equal(["/kept"], Receiver.All.Select(request => request.Path));
    }

    [Fact]
    public async Task A_deleted_queue_cancels_its_messages()
    {
        await QueueAsync("upsert", new { paused = true });
        var id = await EnqueueAsync("/never");
        await QueueAsync("delete");
        await Wire.StatesUntilAsync(id, "CANCELED");
        Assert.Empty(Receiver.All);
    }

    [Fact]
    public async Task A_cancelled_message_frees_its_place_and_a_dead_one_comes_back_through_the_queue()
    {
        Receiver.Answers("/1", Answer.Of(500));
        Receiver.Answers("/dead", Answer.Of(500), Answer.Of(200));
        var stuck = await EnqueueAsync("/1", new { retries = 5, retryDelay = "3600000" });
        var dead = await EnqueueAsync("/dead", new { retries = 0 });
        await Wire.StatesUntilAsync(stuck, "RETRY");
        Assert.Empty(Receiver.Requests("/dead"));
        await Sdk.CallAsync(Host, "messages.cancel", stuck);
        var letter = await Wire.DeadLetterAsync(dead);
        Assert.Equal(_queue, (string)letter["queueName"]!);

        await QueueAsync("pause");
        await Sdk.CallAsync(Host, "dlq.retry", (string)letter["dlqId"]!);
        await Eventually.GetAsync(() => QueueAsync("get"), queue => (int)queue!["lag"]! == 1);
        Assert.Single(Receiver.Requests("/dead"));
        await QueueAsync("resume");
        await Receiver.WaitForAsync("/dead", 2);
    }

    [Fact]
    public async Task A_batch_keeps_the_order_of_its_queue_and_answers_item_by_item()
    {
        var group = Unique("group");
        await Sdk.CallAsync(Host, "urlGroups.addEndpoints", new { name = group, endpoints = new[] { new { url = Receiver.Url("/g") } } });
        var items = Enumerable.Range(0, 20)
            .Select(i => (object)new { queueName = _queue, url = Receiver.Url("/q"), body = new { number = i } })
            .Append(new { urlGroup = group, body = new { } })
            .Append(new { url = Receiver.Url("/plain"), body = new { }, deduplicationId = _queue })
            .Append(new { url = Receiver.Url("/plain"), body = new { }, deduplicationId = _queue });

        var answers = (await Sdk.CallAsync(Host, "batchJSON", items.ToArray()))!.AsArray();

        Assert.Equal(23, answers.Count);
        Assert.Equal(Receiver.Url("/g"), (string)Assert.Single(answers[20]!.AsArray())!["url"]!);
        Assert.Equal((string)answers[21]!["messageId"]!, (string)answers[22]!["messageId"]!);
        Assert.True((bool)answers[22]!["deduplicated"]!);
        var requests = await Receiver.WaitForAsync("/q", 20);
        Assert.Equal(Enumerable.Range(0, 20), requests.Select(request => (int)JsonNode.Parse(request.Body)!["number"]!));
        await Receiver.OneAsync("/g");
        Assert.Single(await Receiver.WaitForAsync("/plain"));
        await Sdk.CallAsync(Host, "urlGroups.delete", group);
    }
}

public sealed class QueuesOnSqlite(SqliteHost hosts, NodeSdk sdk) : QueueTests(hosts, sdk);

public sealed class QueuesOnAzurite(AzuriteHost hosts, NodeSdk sdk) : QueueTests(hosts, sdk);

public sealed class QueuesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : QueueTests(hosts, sdk);
