using System.Globalization;

namespace FuncStash.EndToEnd.Tests.Delivery;

/// <summary>When a failed attempt is repeated, and when no more (protocol#attempts, protocol#retries).</summary>
public abstract class RetryTests(HostFixture hosts, NodeSdk sdk) : EndToEndTests(hosts, sdk)
{
    [Fact]
    public async Task Attempts_count_up_keep_their_id_and_end_with_the_first_success()
    {
        Receiver.Answers("/hook", Answer.Of(500), Answer.Of(404), Answer.Of(204));
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "same", ("Upstash-Retries", "5"), ("Upstash-Retry-Delay", "20"));

        var states = await Wire.StatesUntilAsync(id, "DELIVERED");
        var attempts = Receiver.Requests("/hook");
        Assert.Equal(["0", "1", "2"], attempts.Select(attempt => attempt.Header("upstash-retried")));
        Assert.All(attempts, attempt => Assert.Equal((id, "same"), (attempt.MessageId, attempt.Text)));
        Assert.Equal(
            ["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED"], states);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task There_are_one_attempt_and_the_retries_and_then_it_has_failed(int retries)
    {
        Receiver.Answers("/hook", Answer.Of(503));
        var id = await Wire.PublishAsync(
            Receiver.Url("/hook"), "", ("Upstash-Retries", retries.ToString(CultureInfo.InvariantCulture)),
            ("Upstash-Retry-Delay", "10"));

        var states = await Wire.StatesUntilAsync(id, "FAILED");
        Assert.Equal("FAILED", states[^1]);
        Assert.Equal(retries, states.Count(state => state == "RETRY"));
        Assert.Equal(1 + retries, states.Count(state => state == "ERROR"));
        Assert.Equal(1 + retries, Receiver.Requests("/hook").Count);
    }

    [Fact]
    public async Task The_retry_delay_expression_is_evaluated_for_each_retry()
    {
        Receiver.Answers("/hook", Answer.Of(500), Answer.Of(500), Answer.Ok);
        await Sdk.CallAsync(Host, "publish", new
        {
            url = Receiver.Url("/hook"), body = "x", retries = 2, retryDelay = "max(300, pow(retried, 2) * 900)",
        });

        var attempts = await Receiver.WaitForAsync("/hook", 3);
        Assert.InRange((attempts[1].At - attempts[0].At).TotalMilliseconds, 300, 3000);
        Assert.InRange((attempts[2].At - attempts[1].At).TotalMilliseconds, 900, 4000);
    }

    [Fact]
    public async Task Without_an_expression_the_first_retry_comes_after_twelve_seconds()
    {
        Receiver.Answers("/hook", Answer.Of(500));
        var id = await Wire.PublishAsync(Receiver.Url("/hook"));

        var retry = (await Wire.EventsUntilAsync(id, "RETRY")).Single(entry => (string?)entry["state"] == "RETRY");
        // e^2.5 s, and up to a twentieth of it more.
        Assert.InRange((long)retry["nextDeliveryTime"]! - (long)retry["time"]!, 12_182, 12_792);
        await Wire.DeleteAsync("/v2/messages/" + id);
    }

    [Theory]
    [InlineData("Retry-After", "1", 1000)]
    [InlineData("Retry-After", "0", 0)]
    [InlineData("Retry-After", "1, 1", 1000)]
    [InlineData("X-RateLimit-Reset", "1", 1000)]
    [InlineData("X-RateLimit-Reset-Requests", "1s", 1000)]
    [InlineData("X-RateLimit-Reset-Tokens", "500ms", 500)]
    public async Task The_destination_may_say_when_to_come_back(string header, string value, int milliseconds)
    {
        Receiver.Answers("/hook", Answer.Of(429, "", (header, value)), Answer.Ok);
        await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "600000"));

        var attempts = await Receiver.WaitForAsync("/hook", 2);
        Assert.InRange((attempts[1].At - attempts[0].At).TotalMilliseconds, milliseconds, milliseconds + 3000);
    }

    [Fact]
    public async Task Retry_after_may_be_a_date()
    {
        var date = TimeProvider.System.GetUtcNow().AddSeconds(2);
        Receiver.Answers("/hook", Answer.Of(503, "", ("Retry-After", date.ToString("R", CultureInfo.InvariantCulture))), Answer.Ok);
        await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "600000"));

        var second = (await Receiver.WaitForAsync("/hook", 2))[1];
        Assert.InRange((second.At - date).TotalMilliseconds, -1000, 3000);
    }

    [Theory]
    [InlineData("100000")]
    [InlineData("soon")]
    public async Task A_wait_over_a_day_or_nonsense_is_ignored(string value)
    {
        Receiver.Answers("/hook", Answer.Of(429, "", ("Retry-After", value)), Answer.Ok);
        await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "50"));

        // One of the own delays follows (protocol#retries); it must not be the unusable one.
        var retried = await Receiver.WaitForAsync("/hook", 2);
        Assert.InRange((retried[1].At - retried[0].At).TotalSeconds, 0, 14);
    }

    [Fact]
    public async Task A_489_with_the_non_retryable_header_fails_at_once()
    {
        Receiver.Answers("/hook", Answer.Of(489, "never again", ("Upstash-NonRetryable-Error", "true")));
        var id = await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "3"), ("Upstash-Retry-Delay", "10"));

        Assert.Equal(["CREATED", "ACTIVE", "ERROR", "FAILED"], await Wire.StatesUntilAsync(id, "FAILED"));
        Assert.Single(Receiver.Requests("/hook"));
        Assert.Equal(489, (int?)(await Wire.DeadLetterAsync(id))["responseStatus"]);
    }

    [Theory]
    [InlineData(489, "Other")]
    [InlineData(400, "Upstash-NonRetryable-Error")]
    public async Task Both_the_489_and_the_header_are_needed(int status, string header)
    {
        Receiver.Answers("/hook", Answer.Of(status, "", (header, "true")), Answer.Ok);
        await Wire.PublishAsync(Receiver.Url("/hook"), "", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "10"));

        await Receiver.WaitForAsync("/hook", 2);
    }
}

public sealed class RetriesOnSqlite(SqliteHost hosts, NodeSdk sdk) : RetryTests(hosts, sdk);

public sealed class RetriesOnAzurite(AzuriteHost hosts, NodeSdk sdk) : RetryTests(hosts, sdk);

public sealed class RetriesOnFunctions(FunctionsHost hosts, NodeSdk sdk) : RetryTests(hosts, sdk);
