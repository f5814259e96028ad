using FuncStash.Tests.Messages;

namespace FuncStash.Tests.Overview;

/// <summary>What goes on, at a glance (protocol#overview).</summary>
public sealed class OverviewCallTests
{
    [Fact]
    public async Task It_tells_what_was_done_what_fails_and_what_waits()
    {
        await using var service = new TestService();
        await using var destination = await StandIn.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/down" ? 503 : 200;
            return Task.CompletedTask;
        });
        await service.PublishAsync(destination.Url + "/fine");
        await service.PublishAsync(destination.Url + "/down", "", ("Upstash-Retries", "0"));
        await service.DeliverDueAsync();
        await service.CallAsync("POST", "/v2/queues", """{"queueName":"orders","paused":true}""");
        await service.CallAsync("POST", "/v2/flowControl/acme/pause");
        var waits = await service.PublishAsync(destination.Url);
        service.Time.Advance(TimeSpan.FromMinutes(2));

        var overview = (await service.CallAsync("GET", "/v2/overview")).Json;

        var minutes = overview["minutes"]!.AsArray();
        Assert.Equal(60, minutes.Count);
        Assert.Equal("""{"accepted":3,"delivered":1,"failedAttempts":1,"failed":1}""", minutes[57]!.ToJsonString());
        Assert.Equal(1, (int)overview["responseTime"]!["count"]!);
        var failing = Assert.Single(overview["failingDestinations"]!.AsArray())!;
        Assert.Equal((new Uri(destination.Url).Authority, 1), ((string)failing["host"]!, (int)failing["failedAttempts"]!));
        Assert.Equal((waits, service.Now - 120_000), ((string)overview["oldestDue"]!["messageId"]!, (long)overview["oldestDue"]!["dueAt"]!));
        Assert.Equal(1, (int)overview["deadLettersToday"]!);
        Assert.Equal(("""["orders"]""", """["acme"]"""), (overview["pausedQueues"]!.ToJsonString(), overview["pausedFlowControlKeys"]!.ToJsonString()));
        Assert.Equal(0, (int)overview["inFlight"]!);
    }

    [Fact]
    public async Task A_destination_has_one_name_in_it()
    {
        await using var service = new TestService();
        // Nothing listens on port 1.
        await service.PublishAsync("http://127.0.0.1:1/down", "", ("Upstash-Retries", "0"));
        await service.DeliverDueAsync();

        var overview = (await service.CallAsync("GET", "/v2/overview")).Json;

        foreach (var list in new[] { "failingDestinations", "slowDestinations" })
            Assert.Equal("127.0.0.1:1", (string)Assert.Single(overview[list]!.AsArray())!["host"]!);
    }

    [Fact]
    public async Task It_costs_as_much_whatever_is_kept()
    {
        var few = await CostAsync(days: 2);

        Assert.Equal(few, await CostAsync(days: 40));
        Assert.InRange(few, 1, 70);
    }

    private static async Task<int> CostAsync(int days)
    {
        await using var store = new CountingStore();
        await using var service = new TestService(store: store);
        for (var day = 0; day < days; day++)
        {
            await service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "300d"));
            await OldestDueTests.SweepAfterAsync(service, TimeSpan.FromDays(1));
        }
        var before = store.Operations;
        await service.CallAsync("GET", "/v2/overview");
        return store.Operations - before;
    }
}
