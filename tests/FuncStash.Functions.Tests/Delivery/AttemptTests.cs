using System.Text.Json.Nodes;
using FuncStash.Settings;

namespace FuncStash.Functions.Tests.Delivery;

/// <summary>What is due within a minute or so goes by the work queue alone: first attempts, retries, callbacks.</summary>
public sealed class AttemptTests
{
    private static readonly Answer s_error = Answer.Of(500, "no");

    [Fact]
    public async Task A_message_that_is_due_goes_by_the_queue()
    {
        await using var stage = await Stage.StartAsync();

        var id = await stage.PublishAsync("/plain");
        var request = await stage.Receiver.OneAsync("/plain");

        Assert.Equal(id, request.MessageId);
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(id, "DELIVERED"));
        await AssertQueueAloneAsync(stage);
    }

    [Fact]
    public async Task A_short_delay_is_kept_to_the_millisecond()
    {
        await using var stage = await Stage.StartAsync();

        var before = stage.Clock.GetUtcNow();
        var id = await stage.PublishAsync("/delayed", ("Upstash-Delay", "2s"));
        Assert.StartsWith($"{id}|0|", Assert.Single(stage.App.Store.Sent), StringComparison.Ordinal);
        var request = await stage.Receiver.OneAsync("/delayed");

        Assert.InRange(request.At - before, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60));
        await AssertQueueAloneAsync(stage);
    }

    [Fact]
    public async Task Retries_wait_as_long_as_they_should()
    {
        await using var stage = await Stage.StartAsync();
        stage.Receiver.Answers("/retry", s_error, s_error, s_error, Answer.Ok);

        var id = await stage.PublishAsync("/retry", ("Upstash-Retry-Delay", "pow(2, retried) * 200"));
        var requests = await stage.Receiver.WaitForAsync("/retry", 4);
        await stage.StatesAsync(id, "DELIVERED");
        await stage.QuietAsync();

        Assert.Equal(["0", "1", "2", "3"], stage.Receiver.All.Select(request => request.Header("upstash-retried")));
        Assert.All(requests, request => Assert.Equal(id, request.MessageId));
        // Times are kept in whole milliseconds.
        for (var i = 1; i < 4; i++)
            Assert.InRange((requests[i].At - requests[i - 1].At).TotalMilliseconds, (100 << i) - 1, double.MaxValue);
        await AssertQueueAloneAsync(stage);
    }

    [Fact]
    public async Task Behind_a_hanging_destination_messages_wait_in_the_queue()
    {
        await using var stage = await Stage.StartAsync(service: new FuncStashOptions { DestinationParallelism = 1 });
        var gate = new TaskCompletionSource();
        stage.Receiver.Answers("/hook", Answer.Hang(gate.Task), Answer.Ok);
        await stage.PublishAsync("/hook", ("Upstash-Delay", "1s"));
        await stage.Receiver.OneAsync("/hook");

        var plain = await stage.PublishAsync("/hook");
        var delayed = await stage.PublishAsync("/hook", ("Upstash-Delay", "1s"));
        // Both have found no place and come again.
        await Stage.UntilAsync(() => Task.FromResult(
            new[] { plain, delayed }.All(id => stage.App.Store.Sent.Count(text => text.StartsWith(id, StringComparison.Ordinal)) > 1)));
        Assert.Single(stage.Receiver.All);
        gate.SetResult();

        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(plain, "DELIVERED"));
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(delayed, "DELIVERED"));
        Assert.Equal(3, stage.Receiver.All.Count);
        await AssertQueueAloneAsync(stage);
    }

    [Fact]
    public async Task A_message_that_is_cancelled_while_it_waits_is_not_attempted()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/cancelled", ("Upstash-Delay", "2s"));

        var (status, _) = await stage.SendAsync("DELETE", "/v2/messages/" + id);
        await stage.QuietAsync();

        Assert.Equal(200, status);
        Assert.Equal(["CREATED", "CANCEL_REQUESTED", "CANCELED"], await stage.StatesAsync(id, "CANCELED"));
        Assert.Empty(stage.Receiver.All);
    }

    [Fact]
    public async Task A_callback_follows_a_delivery()
    {
        await using var stage = await Stage.StartAsync();
        stage.Receiver.Answers("/source", Answer.Of(201, "done"));

        var id = await stage.PublishAsync("/source", ("Upstash-Callback", stage.Receiver.Url("/callback")));
        var callback = await stage.Receiver.OneAsync("/callback");

        Assert.Equal(id, (string?)callback.Json["sourceMessageId"]);
        Assert.Equal(201, (int?)callback.Json["status"]);
        Assert.Equal("done"u8.ToArray(), Convert.FromBase64String((string)callback.Json["body"]!));
        await AssertQueueAloneAsync(stage);
    }

    [Fact]
    public async Task A_failure_callback_follows_the_last_attempt_and_the_message_is_a_dead_letter()
    {
        await using var stage = await Stage.StartAsync();
        stage.Receiver.Answers("/failing", s_error);

        var id = await stage.PublishAsync(
            "/failing", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "10"),
            ("Upstash-Failure-Callback", stage.Receiver.Url("/failed")));
        var callback = await stage.Receiver.OneAsync("/failed");
        var (_, letters) = await stage.SendAsync("GET", "/v2/dlq?messageId=" + id);

        Assert.Equal(id, (string?)callback.Json["sourceMessageId"]);
        Assert.Equal(2, stage.Receiver.Requests("/failing").Count);
        var letter = Assert.Single(JsonNode.Parse(letters)!["messages"]!.AsArray())!;
        Assert.Equal((string?)letter["dlqId"], (string?)callback.Json["dlqId"]);
        await AssertQueueAloneAsync(stage);
    }

    private static async Task AssertQueueAloneAsync(Stage stage)
    {
        Assert.Empty(await stage.OrchestrationsAsync());
        Assert.Equal(0, await stage.WaitingAsync());
    }
}
