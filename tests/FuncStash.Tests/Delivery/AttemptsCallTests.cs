using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Tests.Delivery;

/// <summary>What was done about a message, and doing it again (protocol#message-attempts, protocol#send-again).</summary>
public sealed class AttemptsCallTests
{
    [Fact]
    public async Task Each_attempt_is_told_with_its_outcome_and_its_callbacks()
    {
        await using var service = new TestService();
        await using var destination = await StandIn.StartAsync(async context =>
        {
            service.Time.Advance(TimeSpan.FromSeconds(3));
            context.Response.StatusCode = context.Request.Path == "/down" ? 503 : 200;
            await context.Response.WriteAsync("no");
        });
        var at = service.Now;
        var id = await service.PublishAsync(
            destination.Url + "/down", "x",
            ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "10000"), ("Upstash-Failure-Callback", destination.Url + "/told"));
        Assert.Empty((await AttemptsAsync())["attempts"]!.AsArray());
        await service.DeliverDueAsync();
        Assert.Equal(at + 3_000 + 10_000, (long)(await AttemptsAsync())["attempts"]![0]!["nextDeliveryTime"]!);
        service.Time.Advance(TimeSpan.FromSeconds(11));
        await service.DeliverDueAsync();
        // Longer than it can be asked for by its id.
        service.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/messages/" + id)).Status);

        var told = await AttemptsAsync();

        Assert.Equal(
            [(2, "ERROR", 503), (1, "ERROR", 503)],
            told["attempts"]!.AsArray().Select(each => ((int)each!["attempt"]!, (string)each["state"]!, (int)each["responseStatus"]!)));
        Assert.Equal(at + 3_000, (long)told["attempts"]![1]!["endedAt"]!);
        var callback = (string)Assert.Single(told["callbackMessageIds"]!.AsArray())!;
        Assert.Equal("DELIVERED", (string)(await service.CallAsync("GET", "/v2/events?messageId=" + callback)).Json["events"]![0]!["state"]!);
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/messages/msg_none/attempts")).Status);

        async Task<JsonNode> AttemptsAsync() => (await service.CallAsync("GET", $"/v2/messages/{id}/attempts")).Json;
    }

    [Fact]
    public async Task A_message_is_sent_again_as_it_was_but_at_once()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/queues", """{"queueName":"orders"}""");
        var id = (string)(await service.CallAsync(
            "POST", "/v2/enqueue/orders/https://example.com/a", "hello", null,
            ("Upstash-Delay", "1h"), ("Upstash-Label", "x"), ("Upstash-Forward-X-Y", "z"), ("Upstash-Deduplication-Id", "once"))).Json["messageId"]!;
        await service.CallAsync("DELETE", "/v2/messages/" + id);
        service.Time.Advance(TimeSpan.FromMinutes(10));

        var answer = await service.CallAsync("POST", $"/v2/messages/{id}/resend");

        Assert.Equal(200, answer.Status);
        var again = (await service.CallAsync("GET", "/v2/messages/" + (string)answer.Json["messageId"]!)).Json;
        Assert.Equal(
            ("https://example.com/a", "hello", "orders", "x", "z", service.Now),
            ((string)again["url"]!, (string)again["body"]!, (string)again["queueName"]!, (string)again["label"]!, (string)again["header"]!["X-Y"]![0]!, (long)again["notBefore"]!));
        Assert.Equal(404, (await service.CallAsync("POST", "/v2/messages/msg_none/resend")).Status);
    }
}
