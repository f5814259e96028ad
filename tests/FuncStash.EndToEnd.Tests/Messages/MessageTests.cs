using System.Net;

namespace FuncStash.EndToEnd.Tests.Messages;

/// <summary>Reading a message and cancelling it (protocol#messages, protocol#cancel).</summary>
public abstract class MessageTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task An_unknown_message_is_404()
    {
        foreach (var call in new[] { "messages.get", "messages.cancel", "messages.delete" })
        {
            var error = await Assert.ThrowsAsync<SdkException>(() => Sdk.CallAsync(Host, call, "msg_unknown"));
            Assert.Equal(404, error.Status);
            Assert.Contains("\"error\"", error.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_cancelled_message_is_never_delivered()
    {
        var cancelled = await Wire.PublishAsync(Receiver.Url("/cancelled"), "", ("Upstash-Delay", "5s"));
        var later = await Wire.PublishAsync(Receiver.Url("/later"), "", ("Upstash-Delay", "6s"));
        var answer = await Sdk.CallAsync(Host, "messages.cancel", cancelled);

        var states = await Wire.StatesUntilAsync(cancelled, "CANCELED");
        await Wire.StatesUntilAsync(later, "DELIVERED");

        Assert.Equal("""{"cancelled":1}""", answer!.ToJsonString());
        Assert.Equal(["CREATED", "CANCEL_REQUESTED", "CANCELED"], states);
        Assert.Empty(Receiver.Requests("/cancelled"));
        Assert.Equal(["CREATED", "CANCEL_REQUESTED", "CANCELED"], await Wire.StatesUntilAsync(cancelled, "CANCELED"));
    }

    [Fact]
    public async Task Cancelling_between_retries_ends_them_without_a_dead_letter()
    {
        Receiver.Answers("/hook", Answer.Of(500));
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "1000"),
            ("Upstash-Failure-Callback", Receiver.Url("/failed")));
        await Wire.StatesUntilAsync(id, "RETRY");
        await Wire.DeleteAsync("/v2/messages/" + id);
        var later = await Wire.PublishAsync(Receiver.Url("/later"), "", ("Upstash-Delay", "2s"));

        Assert.Equal("CANCELED", (await Wire.StatesUntilAsync(id, "CANCELED"))[^1]);
        await Wire.StatesUntilAsync(later, "DELIVERED");
        Assert.Single(Receiver.Requests("/hook"));
        Assert.Empty(Receiver.Requests("/failed"));
        Assert.Empty((await Wire.GetAsync("/v2/dlq?messageId=" + id)).Json["messages"]!.AsArray());
    }

    [Fact]
    public async Task A_finished_message_stays_readable_and_cancellable_for_a_moment()
    {
        Receiver.Answers("/failing", Answer.Of(500));
        var delivered = await Wire.PublishAsync(Receiver.Url("/hook"), "b");
        var failed = await Wire.PublishAsync(Receiver.Url("/failing"), "b", ("Upstash-Retries", "0"));
        await Wire.StatesUntilAsync(delivered, "DELIVERED");
        await Wire.StatesUntilAsync(failed, "FAILED");

        foreach (var id in new[] { delivered, failed })
        {
            Assert.Equal("b", (string?)(await Wire.MessageAsync(id))["body"]);
            var answer = await Wire.DeleteAsync("/v2/messages/" + id);
            Assert.True(answer.Status == HttpStatusCode.OK, answer.ToString());
        }

        Assert.DoesNotContain("CANCELED", await Wire.StatesUntilAsync(delivered, "DELIVERED"));
    }

    [Fact]
    public async Task An_attempt_in_flight_is_not_recalled_but_is_the_last()
    {
        var gate = new TaskCompletionSource();
        Receiver.Answers("/hook", new Answer { Status = 500, Until = gate.Task });
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "10"));
        await Receiver.OneAsync("/hook");
        var answer = await Wire.DeleteAsync("/v2/messages/" + id);
        gate.SetResult();

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal("CANCELED", (await Wire.StatesUntilAsync(id, "CANCELED"))[^1]);
        Assert.Single(Receiver.Requests("/hook"));
    }
}

public sealed class MessagesOnSqlite(SqliteHost hosts, NodeSdk sdk) : MessageTests(hosts, sdk);

public sealed class MessagesOnAzurite(AzuriteHost hosts, NodeSdk sdk) : MessageTests(hosts, sdk);

public sealed class MessagesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : MessageTests(hosts, sdk);
