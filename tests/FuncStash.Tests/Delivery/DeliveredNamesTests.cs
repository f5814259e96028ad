using System.Collections.Concurrent;

namespace FuncStash.Tests.Delivery;

/// <summary>What a delivery tells of where it comes from (protocol#delivered-headers).</summary>
public sealed class DeliveredNamesTests
{
    [Fact]
    public async Task A_URL_group_and_a_message_id_are_named_and_absent_elsewhere()
    {
        await using var service = new TestService();
        var received = new ConcurrentQueue<(string Path, string? Topic, string? Id)>();
        await using var destination = await StandIn.StartAsync(context =>
        {
            var headers = context.Request.Headers;
            received.Enqueue((context.Request.Path, headers["Upstash-Topic-Name"], headers["Upstash-Message-Id"]));
            return Task.CompletedTask;
        });
        await service.CallAsync("POST", "/v2/topics/orders/endpoints", $$"""{"endpoints":[{"url":"{{destination.Url}}/group"}]}""");

        var fanned = await service.CallAsync("POST", "/v2/publish/orders", "x");
        var plain = await service.PublishAsync(destination.Url + "/plain");
        await service.DeliverDueAsync();

        Assert.Equal(
            [("/group", "orders", (string?)fanned.Json[0]!["messageId"]), ("/plain", null, plain)],
            received.OrderBy(r => r.Path, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_queue_is_named_and_absent_elsewhere()
    {
        await using var service = new TestService();
        var received = new ConcurrentQueue<(string Path, string? Queue)>();
        await using var destination = await StandIn.StartAsync(context =>
        {
            received.Enqueue((context.Request.Path, context.Request.Headers["Upstash-Queue-Name"]));
            return Task.CompletedTask;
        });

        await service.CallAsync("POST", $"/v2/enqueue/orders/{destination.Url}/queued", "x");
        await service.PublishAsync(destination.Url + "/plain", "", ("Upstash-Forward-Upstash-Queue-Name", "forged"));
        await service.DeliverDueAsync();

        Assert.Equal([("/plain", null), ("/queued", "orders")], received.OrderBy(r => r.Path, StringComparer.Ordinal));
    }
}
