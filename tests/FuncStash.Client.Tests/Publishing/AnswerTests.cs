using System.Collections.Concurrent;
using FuncStash.Client.Tests.Retries;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FuncStash.Client.Tests.Publishing;

/// <summary>What the client makes of answers.</summary>
public sealed class AnswerTests
{
    private const string Url = "https://example.com";

    [Fact]
    public async Task A_group_s_answer_has_a_message_for_each_endpoint()
    {
        using var stub = new Stub(Stub.Published(
            """[{"messageId":"msg_1","url":"https://a.example.com"},{"messageId":"msg_2","url":"https://b.example.com","deduplicated":true}]"""));

        var result = await stub.NewClient().PublishAsync("orders", options: new() { DeduplicationId = "d" });

        Assert.Equal(["https://a.example.com", "https://b.example.com"], result.Messages.Select(message => message.Url));
        Assert.Equal([false, true], result.Messages.Select(message => message.Deduplicated));
        Assert.Equal("msg_1", result.MessageId);
        Assert.False(result.Deduplicated);
    }

    [Fact]
    public async Task A_batch_s_answer_tells_which_were_refused()
    {
        using var stub = new Stub(Stub.Answer(
            200, """[[{"messageId":"msg_1","url":"https://a.example.com"}],{"error":"invalid destination url"},{"messageId":"msg_3"}]"""));

        var results = await stub.NewClient().BatchAsync([new("orders"), new("x:y"), new(Url)]);

        Assert.Equal([null, "invalid destination url", null], results.Select(result => result.Error));
        Assert.Equal([["msg_1"], [], ["msg_3"]], results.Select(result => result.Messages.Select(message => message.MessageId).ToArray()));
    }

    [Fact]
    public async Task A_batch_s_answer_about_fewer_messages_is_an_error()
    {
        using var stub = new Stub(Stub.Published("""[{"messageId":"msg_1"}]"""));

        await Assert.ThrowsAsync<QStashRequestException>(() => stub.NewClient().BatchAsync([new(Url), new(Url)]));
    }

    [Fact]
    public async Task A_dead_letter_has_its_id_though_the_service_leaves_it_out()
    {
        using var stub = new Stub(Stub.Answer(200, """{"messageId":"msg_1","url":"u","responseStatus":500}"""));

        Assert.Equal("1767225612000-0", (await stub.NewClient().Dlq.GetAsync("1767225612000-0")).DlqId);
    }

    [Theory]
    [InlineData("""{"error":"topic orders not found"}""", "topic orders not found")]
    [InlineData("<html>Bad Gateway</html>", "<html>Bad Gateway</html>")]
    [InlineData("""{"message":"no"}""", """{"message":"no"}""")]
    [InlineData("""{"error":{"code":1}}""", """{"error":{"code":1}}""")]
    [InlineData("", null)]
    public async Task A_refusal_carries_the_service_s_text(string answer, string? expected)
    {
        using var stub = new Stub(Stub.Answer(404, answer));

        var refusal = await Assert.ThrowsAsync<QStashRequestException>(() => stub.NewClient().Messages.GetAsync("msg_1"));

        Assert.Equal(404, refusal.Status);
        Assert.Equal(expected, refusal.Error);
        Assert.Contains("404", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html>Log in, please</html>")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("[null]")]
    [InlineData("\"msg_1\"")]
    [InlineData("")]
    public async Task What_cannot_be_read_is_an_error_and_not_asked_for_again(string answer)
    {
        using var stub = new Stub(Stub.Published(answer));

        await Assert.ThrowsAsync<QStashRequestException>(() => stub.NewClient().PublishAsync(Url));

        Assert.Single(stub.Sent);
    }

    [Fact]
    public async Task A_redirect_is_an_error_since_following_it_would_lose_the_message()
    {
        await using var elsewhere = await Receiver.StartAsync();
        await using var listener = await Receiver.StartAsync();
        listener.Otherwise = _ => Answer.Of(302, "", ("Location", elsewhere.BaseUrl));

        var refusal = await Assert.ThrowsAsync<QStashRequestException>(
            () => new QStashClient(new QStashClientOptions { BaseUrl = new Uri(listener.BaseUrl), Token = "t" }).PublishAsync(Url));

        Assert.Equal(302, refusal.Status);
        Assert.Empty(elsewhere.All);
    }

    [Fact]
    public async Task All_pages_are_read_as_they_are_asked_for()
    {
        using var stub = new Stub(
            Stub.Answer(200, """{"events":[{"time":1767225600123,"messageId":"msg_1","url":"u","state":"DELIVERED"}],"cursor":"c1"}"""),
            Stub.Answer(200, """{"events":[],"cursor":"c2"}"""),
            Stub.Answer(200, """{"events":[{"time":1767225600122,"messageId":"msg_2","url":"u","state":"NEW"}],"cursor":""}"""));

        var seen = new List<(string Id, LogState State, int Calls)>();
        await foreach (var entry in stub.NewClient().Logs.ListAsync(pageSize: 1))
            seen.Add((entry.MessageId, entry.State, stub.Sent.Count));

        Assert.Equal([("msg_1", LogState.Delivered, 1), ("msg_2", LogState.Unknown, 3)], seen);
        Assert.Equal(["/v2/events?count=1", "/v2/events?count=1&cursor=c1", "/v2/events?count=1&cursor=c2"], stub.Sent.Select(s => s.Target));
    }

    [Fact]
    public async Task Where_the_service_knows_no_errors_of_dead_letters_none_is_touched_for_another_error()
    {
        const string Letters = """{"messages":[{"dlqId":"1-0","messageId":"msg_1","url":"u"},{"dlqId":"2-0","messageId":"msg_2","url":"u","error":"away"}]}""";
        var filter = new DlqFilter { Error = "away" };

        using var deleting = new Stub(Stub.Answer(200, Letters), Stub.Answer(200, """{"deleted":1}"""));
        Assert.Equal(1, await deleting.NewClient().Dlq.DeleteWhereAsync(filter));
        Assert.Equal(["/v2/dlq?count=100&error=away", "/v2/dlq?dlqIds=2-0"], deleting.Sent.Select(s => s.Target));

        using var retrying = new Stub(Stub.Answer(200, Letters), Stub.Answer(201, """{"responses":[{"messageId":"msg_3"}]}"""));
        Assert.Equal(["msg_3"], await retrying.NewClient().Dlq.RetryWhereAsync(filter).Select(message => message.MessageId).ToListAsync());
        Assert.Equal("/v2/dlq/retry?dlqIds=2-0", retrying.Sent[^1].Target);

        using var other = new Stub(Stub.Answer(200, Letters));
        Assert.Equal(0, await other.NewClient().Dlq.DeleteWhereAsync(new() { Error = "refused" }));
        Assert.Equal(HttpMethod.Get, Assert.Single(other.Sent).Method);
    }

    [Fact]
    public async Task Sending_dead_letters_again_ends_though_they_fail_again()
    {
        using var stub = new Stub(
            Stub.Answer(201, """{"responses":[{"messageId":"msg_1"}],"cursor":"c1"}"""), Stub.Answer(201, """{"responses":[{"messageId":"msg_2"}]}"""));

        Assert.Equal(2, await stub.NewClient().Dlq.RetryAllAsync(pageSize: 1).CountAsync());

        // From the second call on, only what was there when it began.
        Assert.Equal(
            ["/v2/dlq/retry?count=1", "/v2/dlq/retry?toDate=1767225600000&count=1&cursor=c1"], stub.Sent.Select(s => s.Target));
    }

    [Fact]
    public async Task Many_ids_go_in_several_calls()
    {
        using var stub = new Stub(Stub.Answer(200, """{"cancelled":100}"""), Stub.Answer(200, """{"cancelled":50}"""));

        Assert.Equal(150, await stub.NewClient().Messages.CancelManyAsync(Enumerable.Range(0, 150).Select(i => $"msg_{i}")));

        Assert.Equal([100, 50], stub.Sent.Select(sent => sent.Target.Split("messageIds=").Length - 1));
    }

    [Fact]
    public void Without_a_token_there_is_no_client()
    {
        using var http = new HttpClient(new Stub());

        var complaint = Assert.Throws<InvalidOperationException>(() => new QStashClient(http, new(), _ => null, null));

        Assert.Contains("QSTASH_TOKEN", complaint.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new QStashClient(http, new() { BaseUrl = new Uri("ftp://example.com"), Token = "t" }));
        Assert.Throws<ArgumentException>(() => new QStashClient(http, new() { Token = "t" }, s => s == "QSTASH_URL" ? "example.com" : null, null));
        Assert.Throws<ArgumentException>(() => new QStashClient(http, new() { Token = "t", Retry = { Delay = TimeSpan.FromSeconds(-1) } }));
    }

    [Fact]
    public async Task A_registered_client_reads_the_configuration_and_goes_through_the_caller_s_handlers()
    {
        await using var listener = await Receiver.StartAsync();
        listener.Otherwise = _ => Answer.Of(200, """{"messageId":"msg_1"}""");
        var lines = new ConcurrentQueue<string>();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["QSTASH_URL"] = listener.BaseUrl, ["QSTASH_TOKEN"] = "from-configuration" }).Build());
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new LineLog(lines)));
        services.AddQStashClient(options => options.Retry.MaxRetries = 1).AddHttpMessageHandler(() => new Tagging());
        await using var provider = services.BuildServiceProvider();

        // A URL that is not sent as an ordinary one must not upset what logs it.
        await provider.GetRequiredService<QStashClient>().PublishAsync("https://example.com/a/../b");

        Assert.Equal("/v2/publish/https://example.com/a/../b", listener.All[0].Target);
        Assert.Equal("Bearer from-configuration", listener.All[0].Header("authorization"));
        Assert.Equal("yes", listener.All[0].Header("x-tagged"));
        Assert.NotEmpty(lines);
        Assert.DoesNotContain(lines, line => line.Contains("from-configuration", StringComparison.Ordinal));
    }

    private sealed class Tagging : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Add("X-Tagged", "yes");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
