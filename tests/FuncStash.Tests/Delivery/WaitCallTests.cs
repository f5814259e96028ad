using System.Text.Json.Nodes;
using FuncStash.Destinations;
using FuncStash.Settings;

namespace FuncStash.Tests.Delivery;

/// <summary>Why a message waits (protocol#why-it-waits).</summary>
public sealed class WaitCallTests
{
    [Fact]
    public async Task It_is_held_up_by_its_time_its_queue_and_its_key()
    {
        await using var service = new TestService();
        var delayed = await service.PublishAsync("https://example.com/", headers: ("Upstash-Delay", "4m"));
        var (first, second, third) = (await EnqueueAsync("a"), await EnqueueAsync("b"), await EnqueueAsync("c"));
        (string, string)[] limits = [("Upstash-Flow-Control-Key", "acme"), ("Upstash-Flow-Control-Value", "rate=1, period=1m")];
        await service.PublishAsync("https://example.com/", headers: limits);
        var held = await service.PublishAsync("https://example.com/", headers: limits);

        Assert.Equal(("DELAYED", service.Now + 240_000), (Reason(await WaitAsync(delayed)), (long)(await WaitAsync(delayed))["until"]!));
        Assert.Equal("DUE", Reason(await WaitAsync(first)));
        Assert.Equal(("QUEUE", "orders", 0), Line(await WaitAsync(second), "queueName"));
        Assert.Equal(("QUEUE", "orders", 1), Line(await WaitAsync(third), "queueName"));
        Assert.Equal((1, 1, false), ((int)(await WaitAsync(third))["inFlight"]!, (int)(await WaitAsync(third))["parallelism"]!, (bool)(await WaitAsync(third))["paused"]!));
        Assert.Equal(("FLOW_CONTROL", "acme", 0), Line(await WaitAsync(held), "flowControlKey"));
        Assert.Equal(service.Now + 60_000, (long)(await WaitAsync(held))["periodEnd"]!);

        await service.CallAsync("POST", "/v2/flowControl/none/pause");
        var paused = await service.PublishAsync(
            "https://example.com/", headers: [("Upstash-Flow-Control-Key", "none"), ("Upstash-Flow-Control-Value", "rate=5")]);
        // No period has begun there.
        Assert.Null((await WaitAsync(paused))["periodEnd"]);

        await service.CallAsync("POST", "/v2/queues/orders/pause");
        Assert.Equal((true, service.Now), ((bool)(await WaitAsync(third))["paused"]!, (long)(await WaitAsync(third))["pausedAt"]!));
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/messages/msg_none/wait")).Status);

        async Task<string> EnqueueAsync(string name) =>
            (string)(await service.CallAsync("POST", "/v2/enqueue/orders/https://example.com/" + name)).Json["messageId"]!;

        async Task<JsonNode> WaitAsync(string id) => (await service.CallAsync("GET", "/v2/messages/" + id + "/wait")).Json;
    }

    [Fact]
    public async Task It_is_held_up_by_the_attempt_that_failed_and_then_by_nothing()
    {
        await using var service = new TestService();
        await using var destination = await StandIn.StartAsync(503);
        var id = await service.PublishAsync(destination.Url, headers: [("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "148000")]);
        await service.DeliverDueAsync();

        var wait = (await service.CallAsync("GET", $"/v2/messages/{id}/wait")).Json;

        Assert.Equal(("RETRY", service.Now + 148_000, 1, 2), (Reason(wait), (long)wait["until"]!, (int)wait["retry"]!, (int)wait["maxRetries"]!));
        await service.CallAsync("DELETE", "/v2/messages/" + id);
        Assert.Equal("ENDED", Reason((await service.CallAsync("GET", $"/v2/messages/{id}/wait")).Json));
    }

    [Fact]
    public async Task It_is_held_up_by_a_destination_that_has_all_the_attempts_it_may_have()
    {
        await using var service = new TestService(new FuncStashOptions { DestinationParallelism = 1 });
        var id = await service.PublishAsync("https://example.com/b");
        var place = service.Get<DestinationLanes>().TryEnter("https://example.com/a")!.Value;

        var wait = (await service.CallAsync("GET", $"/v2/messages/{id}/wait")).Json;

        Assert.Equal(("DESTINATION", 1, 1), (Reason(wait), (int)wait["places"]!, (int)wait["maxPlaces"]!));
        place.Leave(answered: true);
        Assert.Equal("DUE", Reason((await service.CallAsync("GET", $"/v2/messages/{id}/wait")).Json));
    }

    private static string Reason(JsonNode wait) => (string)wait["reason"]!;

    private static (string, string, int) Line(JsonNode wait, string name) => (Reason(wait), (string)wait[name]!, (int)wait["ahead"]!);
}
