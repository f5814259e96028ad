using System.Text.Json;
using FuncStash.EndToEnd.Tests.Receiving;
using FuncStash.Functions.Delivery;
using FuncStash.Http;
using FuncStash.Settings;
using Microsoft.DurableTask.Client;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace FuncStash.Functions.Tests.Delivery;

public sealed class OrchestrationTests
{
    private static readonly Answer s_error = Answer.Of(500, "no");

    [Fact]
    public async Task A_message_that_is_due_goes_by_the_queue_alone()
    {
        await using var stage = await Stage.StartAsync();

        var id = await stage.PublishAsync("/plain");
        var request = await stage.Receiver.OneAsync("/plain");

        Assert.Equal(id, request.MessageId);
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(id, "DELIVERED"));
        Assert.Null(await stage.Client.GetInstanceAsync(id));
    }

    [Fact]
    public async Task Retries_wait_as_long_as_they_should_in_one_short_history()
    {
        await using var stage = await Stage.StartAsync();
        stage.Receiver.Answers("/retry", s_error, s_error, s_error, Answer.Ok);

        var id = await stage.PublishAsync("/retry", ("Upstash-Retry-Delay", "pow(2, retried) * 200"));
        var requests = await stage.Receiver.WaitForAsync("/retry", 4);
        var ended = await stage.OrchestrationAsync(id, Completed);

        Assert.Equal(["0", "1", "2", "3"], requests.Select(request => request.Header("upstash-retried")));
        Assert.All(requests, request => Assert.Equal(id, request.MessageId));
        for (var i = 1; i < 4; i++)
            Assert.InRange((requests[i].At - requests[i - 1].At).TotalMilliseconds, 100 << i, double.MaxValue);
        Assert.Equal(4, requests.Count);
        // Each retry is a generation of its own, with its own input.
        var last = ended.ReadInputAs<DeliveryWait>()!;
        Assert.Equal($"{id}|0", last.Ticket);
        Assert.InRange(last.DueAt, requests[2].At.ToUnixTimeMilliseconds() + 800, requests[3].At.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Behind_a_hanging_destination_messages_wait_in_the_queue_and_hold_no_orchestration()
    {
        await using var stage = await Stage.StartAsync(service: new FuncStashOptions { DestinationParallelism = 1 });
        var gate = new TaskCompletionSource();
        stage.Receiver.Answers("/hook", Answer.Hang(gate.Task), Answer.Ok);
        await stage.PublishAsync("/hook", ("Upstash-Delay", "1s"));
        await stage.Receiver.OneAsync("/hook");

        var plain = await stage.PublishAsync("/hook");
        var delayed = await stage.PublishAsync("/hook", ("Upstash-Delay", "1s"));
        // Its activity found no place, and it ended all the same.
        await stage.OrchestrationAsync(delayed, Completed);
        Assert.Single(stage.Receiver.All);
        gate.SetResult();

        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(plain, "DELIVERED"));
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(delayed, "DELIVERED"));
        Assert.Null(await stage.Client.GetInstanceAsync(plain));
        Assert.Equal(3, stage.Receiver.All.Count);
    }

    [Fact]
    public async Task Message_and_destination_stay_out_of_the_history()
    {
        await using var stage = await Stage.StartAsync();

        var id = await stage.PublishAsync("/secret", ("Upstash-Delay", "1d"), ("Upstash-Forward-Key", "value"));
        var waiting = await stage.OrchestrationAsync(id, Running);

        var input = JsonDocument.Parse(waiting.SerializedInput!).RootElement;
        Assert.Equal(["Ticket", "DueAt", "Failures"], input.EnumerateObject().Select(property => property.Name));
        Assert.Equal($"{id}|0", input.GetProperty("Ticket").GetString());
    }

    [Fact]
    public async Task A_delay_longer_than_the_longest_timer_ends_when_it_should()
    {
        await using var stage = await Stage.StartAsync(longestTimer: TimeSpan.FromMilliseconds(300));

        var before = TimeProvider.System.GetUtcNow();
        var id = await stage.PublishAsync("/delayed", ("Upstash-Delay", "2s"));
        var request = await stage.Receiver.OneAsync("/delayed");

        Assert.Equal(id, request.MessageId);
        Assert.InRange(request.At - before, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60));
        Assert.Null((await stage.OrchestrationAsync(id, Completed)).FailureDetails);
    }

    [Fact]
    public async Task A_cancelled_message_wakes_its_orchestration_which_ends_without_an_attempt()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/cancelled", ("Upstash-Delay", "30d"));
        await stage.OrchestrationAsync(id, Running);

        var (status, _) = await stage.SendAsync("DELETE", "/v2/messages/" + id);
        var ended = await stage.OrchestrationAsync(id, Completed);

        Assert.Equal(200, status);
        Assert.Equal(Completed, ended.RuntimeStatus);
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
        Assert.Equal(Completed, (await stage.OrchestrationAsync(id, Completed)).RuntimeStatus);
        Assert.Equal(Completed, (await stage.OrchestrationAsync(callback.MessageId, Completed)).RuntimeStatus);
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
        var letter = Assert.Single(System.Text.Json.Nodes.JsonNode.Parse(letters)!["messages"]!.AsArray())!;
        Assert.Equal((string?)letter["dlqId"], (string?)callback.Json["dlqId"]);
    }

    [Fact]
    public async Task A_worker_lost_after_the_attempt_was_settled_sends_nothing_twice()
    {
        await using var stage = await Stage.StartAsync();
        var runs = 0;
        stage.Around = async attempt =>
        {
            var result = await attempt();
            return Interlocked.Increment(ref runs) == 1 ? throw new InvalidOperationException("the worker is lost") : result;
        };

        var id = await stage.PublishAsync("/once", ("Upstash-Callback", stage.Receiver.Url("/once-called")));
        var ended = await stage.OrchestrationAsync(id, Completed);
        await stage.Receiver.OneAsync("/once-called");

        Assert.Equal(Completed, ended.RuntimeStatus);
        Assert.Equal(1, ended.ReadInputAs<DeliveryWait>()!.Failures);
        Assert.True(Volatile.Read(ref runs) >= 2);
        Assert.Single(stage.Receiver.Requests("/once"));
        Assert.Single(stage.Receiver.Requests("/once-called"));
    }

    [Fact]
    public async Task A_worker_lost_before_the_attempt_costs_nothing_but_time()
    {
        await using var stage = await Stage.StartAsync();
        var runs = 0;
        stage.Around = attempt => Interlocked.Increment(ref runs) <= 2 ? throw new InvalidOperationException("no storage") : attempt();

        var id = await stage.PublishAsync("/later", ("Upstash-Delay", "1s"));
        var request = await stage.Receiver.OneAsync("/later");

        Assert.Equal("0", request.Header("upstash-retried"));
        Assert.Equal(Completed, (await stage.OrchestrationAsync(id, Completed)).RuntimeStatus);
        Assert.Equal(3, Volatile.Read(ref runs));
    }
}
