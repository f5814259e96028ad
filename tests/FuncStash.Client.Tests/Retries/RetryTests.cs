using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Client.Tests.Retries;

/// <summary>What failed is sent again where that does no harm.</summary>
public sealed class RetryTests
{
    private const string Url = "https://api.example.com/hook";
    private readonly JumpingTime _time = new();

    public static TheoryData<int> Passing => [500, 502, 503, 504, 429];

    public static TheoryData<int> Final => [400, 401, 403, 404, 412, 413];

    [Fact]
    public async Task A_publish_whose_connection_broke_is_sent_again_under_the_same_deduplication_id()
    {
        using var stub = new Stub(Stub.Broken(), Stub.Broken(), Stub.Published());

        var result = await stub.NewClient(_time).PublishAsync(Url, "hello");

        Assert.Equal("msg_1", result.MessageId);
        Assert.Equal(3, stub.Sent.Count);
        Assert.All(stub.Sent, sent => Assert.Equal("hello"u8, sent.Body));
        Assert.NotEmpty(Assert.Single(stub.Sent.Select(sent => sent.DeduplicationId).Distinct())!);
    }

    [Fact]
    public async Task Two_publishes_never_share_an_id_that_was_made_up()
    {
        using var stub = new Stub(Stub.Published());
        var client = stub.NewClient(_time);

        await client.PublishAsync(Url, "hello");
        await client.PublishAsync(Url, "hello");

        Assert.NotEqual(stub.Sent[0].DeduplicationId, stub.Sent[1].DeduplicationId);
    }

    [Theory]
    [MemberData(nameof(Passing))]
    public async Task After_an_answer_that_may_pass_it_is_sent_again(int status)
    {
        using var stub = new Stub(Stub.Answer(status), Stub.Published());

        await stub.NewClient(_time).PublishAsync(Url);

        Assert.Equal(2, stub.Sent.Count);
    }

    [Theory]
    [MemberData(nameof(Final))]
    public async Task After_a_refusal_it_is_not(int status)
    {
        using var stub = new Stub(Stub.Answer(status, """{"error":"no"}"""));

        var refusal = await Assert.ThrowsAsync<QStashRequestException>(() => stub.NewClient(_time).PublishAsync(Url));

        Assert.Equal(status, refusal.Status);
        Assert.Equal("no", refusal.Error);
        Assert.Single(stub.Sent);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_a_broken_connection()
    {
        using var stub = new Stub(
            _ => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new BreakingStream()) }), Stub.Published());

        await stub.NewClient(_time).PublishAsync(Url);

        Assert.Equal(2, stub.Sent.Count);
    }

    [Fact]
    public async Task It_gives_up_after_as_many_retries_as_were_set_and_tells_the_last_failure()
    {
        using var stub = new Stub(Stub.Answer(503), Stub.Broken());

        var failure = await Assert.ThrowsAsync<QStashRequestException>(
            () => stub.NewClient(_time, options => options.Retry.MaxRetries = 2).PublishAsync(Url));

        Assert.Null(failure.Status);
        Assert.IsType<HttpRequestException>(failure.InnerException);
        Assert.Equal(3, stub.Sent.Count);
    }

    [Fact]
    public async Task Turned_off_a_publish_is_sent_once_and_without_an_id()
    {
        using var stub = new Stub(Stub.Answer(503));

        await Assert.ThrowsAsync<QStashRequestException>(
            () => stub.NewClient(_time, options => options.Retry.MaxRetries = 0).PublishAsync(Url));

        Assert.Null(Assert.Single(stub.Sent).DeduplicationId);
    }

    [Fact]
    public async Task The_caller_s_own_id_is_kept()
    {
        using var stub = new Stub(Stub.Broken(), Stub.Published());

        await stub.NewClient(_time).PublishAsync(Url, options: new() { DeduplicationId = "order-42" });

        Assert.Equal(["order-42", "order-42"], stub.Sent.Select(sent => sent.DeduplicationId));
    }

    [Fact]
    public async Task Where_the_content_is_the_id_none_is_made_up()
    {
        using var stub = new Stub(Stub.Broken(), Stub.Published());
        var client = stub.NewClient(_time);

        await client.PublishAsync(Url, options: new() { ContentBasedDeduplication = true });
        await client.PublishAsync(Url, options: new() { Headers = { ["Upstash-Content-Based-Deduplication"] = "true" } });

        Assert.All(stub.Sent, sent => Assert.Null(sent.DeduplicationId));
        await client.PublishAsync(Url, options: new() { Headers = { ["Upstash-Content-Based-Deduplication"] = "false" } });
        Assert.NotNull(stub.Sent[^1].DeduplicationId);
    }

    [Fact]
    public async Task Every_message_of_a_batch_has_an_id()
    {
        using var stub = new Stub(Stub.Answer(500), Stub.Answer(200, """[{"messageId":"msg_1"},{"messageId":"msg_2"}]"""));

        await stub.NewClient(_time).BatchAsync([new(Url), new(Url, options: new() { DeduplicationId = "mine" })]);

        Assert.Equal(stub.Sent[0].Body, stub.Sent[1].Body);
        var ids = System.Text.Json.Nodes.JsonNode.Parse(stub.Sent[1].Body)!.AsArray()
            .Select(item => (string?)item!["headers"]!["upstash-deduplication-id"]).ToList();
        Assert.NotEmpty(ids[0]!);
        Assert.Equal("mine", ids[1]);
    }

    [Fact]
    public async Task A_duplicate_of_its_own_lost_attempt_is_none()
    {
        var duplicate = Stub.Answer(202, """{"messageId":"msg_1","deduplicated":true}""");
        using var stub = new Stub(Stub.Broken(), duplicate);
        var client = stub.NewClient(_time);

        Assert.False((await client.PublishAsync(Url)).Deduplicated);
        Assert.True((await client.PublishAsync(Url, options: new() { DeduplicationId = "order-42" })).Deduplicated);
    }

    [Fact]
    public async Task The_service_s_wish_to_wait_is_heeded()
    {
        using var stub = new Stub(
            Stub.Answer(429, "{}", ("Retry-After", "7")),
            Stub.Answer(503, "{}", ("Retry-After", (_time.GetUtcNow() + TimeSpan.FromSeconds(18)).ToString("R"))),
            Stub.Answer(429, "{}", ("Burst-RateLimit-Reset", $"{(_time.GetUtcNow() + TimeSpan.FromSeconds(21)).ToUnixTimeSeconds()}")),
            Stub.Published());

        await stub.NewClient(_time).PublishAsync(Url);

        Assert.Equal([TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(11), TimeSpan.FromSeconds(3)], _time.Waits);
    }

    [Fact]
    public async Task A_wait_longer_than_allowed_is_the_caller_s()
    {
        using var stub = new Stub(Stub.Answer(429, "{}", ("Retry-After", "31")));

        var refusal = await Assert.ThrowsAsync<QStashRequestException>(() => stub.NewClient(_time).PublishAsync(Url));

        Assert.Equal(TimeSpan.FromSeconds(31), refusal.RetryAfter);
        Assert.Single(stub.Sent);
    }

    [Fact]
    public async Task A_used_up_day_is_not_waited_for()
    {
        using var stub = new Stub(Stub.Answer(429, "{}", ("RateLimit-Limit", "500"), ("RateLimit-Remaining", "0")));

        await Assert.ThrowsAsync<QStashRequestException>(() => stub.NewClient(_time).PublishAsync(Url));

        Assert.Single(stub.Sent);
    }

    [Fact]
    public async Task What_would_do_more_when_done_twice_is_sent_again_only_if_nothing_was_done()
    {
        using var failing = new Stub(Stub.Answer(503));
        using var limited = new Stub(Stub.Answer(429), Stub.Answer(200, """{"current":"sig_1","next":"sig_2"}"""));

        await Assert.ThrowsAsync<QStashRequestException>(() => failing.NewClient(_time).SigningKeys.RotateAsync());
        await limited.NewClient(_time).SigningKeys.RotateAsync();

        Assert.Single(failing.Sent);
        Assert.Equal(2, limited.Sent.Count);
    }

    [Fact]
    public async Task A_schedule_is_created_again_only_under_an_id()
    {
        using var nameless = new Stub(Stub.Broken());
        using var named = new Stub(Stub.Broken(), Stub.Answer(200, """{"scheduleId":"nightly"}"""));

        await Assert.ThrowsAsync<QStashRequestException>(() => nameless.NewClient(_time).Schedules.CreateAsync(Url, "* * * * *"));
        await named.NewClient(_time).Schedules.CreateAsync(Url, "* * * * *", options: new() { ScheduleId = "nightly" });

        Assert.Single(nameless.Sent);
        Assert.Equal(2, named.Sent.Count);
    }

    [Fact]
    public async Task An_attempt_that_takes_too_long_is_given_up_and_another_made()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        using var stub = new Stub(
            async cancellation =>
            {
                asked.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
                throw new InvalidOperationException("it was not given up");
            },
            Stub.Published());
        var client = stub.NewClient(time, options => (options.Timeout, options.Retry.Delay) = (TimeSpan.FromSeconds(10), TimeSpan.Zero));

        var publish = client.PublishAsync(Url);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("msg_1", (await publish).MessageId);
    }

    [Fact]
    public async Task A_caller_who_stops_is_not_told_of_a_failure()
    {
        using var stop = new CancellationTokenSource();
        using var stub = new Stub(async cancellation =>
        {
            await stop.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
            throw new InvalidOperationException("it was not stopped");
        });

        var stopped = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => stub.NewClient(_time, options => options.Retry.MaxRetries = 0).PublishAsync(Url, cancellationToken: stop.Token));

        Assert.Equal(stop.Token, stopped.CancellationToken);
        Assert.Single(stub.Sent);
    }

    [Fact]
    public async Task No_retry_comes_so_late_that_the_service_may_have_forgotten_the_id()
    {
        using var stub = new Stub(_ =>
        {
            _time.Pass(TimeSpan.FromMinutes(4));
            throw new HttpRequestException("the connection broke");
        });

        await Assert.ThrowsAsync<QStashRequestException>(
            () => stub.NewClient(_time, options => options.Retry.MaxRetries = 10).PublishAsync(Url));

        // At 0, 4 and 8 minutes; the next would be at 12, and the service remembers 10.
        Assert.Equal(3, stub.Sent.Count);
    }

    private sealed class BreakingStream : MemoryStream
    {
        public BreakingStream()
            : base("""{"messageId":"""u8.ToArray())
        {
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position < Length ? base.ReadAsync(buffer, cancellationToken) : throw new HttpIOException(HttpRequestError.ResponseEnded);
    }
}
