using System.Text;
using FuncStash.Client.Tests.Retries;

namespace FuncStash.Client.Tests.Publishing;

/// <summary>What a message is told, and what it carries.</summary>
public sealed class SettingTests
{
    private const string Url = "https://example.com";

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(1, "1s")]
    [InlineData(1000, "1s")]
    [InlineData(1001, "2s")]
    [InlineData(86_400_000, "86400s")]
    public async Task A_delay_is_no_shorter_than_it_was_set(int milliseconds, string expected) =>
        Assert.Equal(expected, (await HeadersAsync(new() { Delay = TimeSpan.FromMilliseconds(milliseconds) }))["Upstash-Delay"]);

    [Theory]
    [InlineData(500, "0.5s")]
    [InlineData(30_000, "30s")]
    [InlineData(1234, "1.234s")]
    public async Task A_timeout_is_told_to_the_millisecond(int milliseconds, string expected) =>
        Assert.Equal(expected, (await HeadersAsync(new() { Timeout = TimeSpan.FromMilliseconds(milliseconds) }))["Upstash-Timeout"]);

    [Fact]
    public async Task A_time_is_no_earlier_than_it_was_set() =>
        Assert.Equal("1767225601", (await HeadersAsync(new() { NotBefore = DateTimeOffset.FromUnixTimeMilliseconds(1767225600001) }))["Upstash-Not-Before"]);

    [Fact]
    public async Task Callbacks_have_settings_of_their_own()
    {
        var headers = await HeadersAsync(new()
        {
            Retries = 5,
            Callback = new("https://example.com/done")
            {
                Retries = 1, Delay = TimeSpan.FromSeconds(3), Timeout = TimeSpan.FromSeconds(4), RetryDelay = "1000", Method = HttpMethod.Put,
                FlowControl = new("k") { Rate = 1 }, Headers = { ["X-Tenant"] = "acme", ["Content-Type"] = "text/csv", ["Upstash-Failure-Callback"] = "https://example.com/x" },
            },
            FailureCallback = new("https://example.com/failed") { Headers = { ["X"] = "y" } },
        });

        Assert.Equal(
            new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase)
            {
                ["Upstash-Method"] = "POST", ["Upstash-Retries"] = "5",
                ["Upstash-Callback"] = "https://example.com/done", ["Upstash-Callback-Retries"] = "1", ["Upstash-Callback-Delay"] = "3s",
                ["Upstash-Callback-Timeout"] = "4s", ["Upstash-Callback-Retry-Delay"] = "1000", ["Upstash-Callback-Method"] = "PUT",
                ["Upstash-Callback-Flow-Control-Key"] = "k", ["Upstash-Callback-Flow-Control-Value"] = "rate=1",
                ["Upstash-Callback-Forward-X-Tenant"] = "acme", ["Upstash-Callback-Forward-Content-Type"] = "text/csv",
                ["Upstash-Callback-Failure-Callback"] = "https://example.com/x",
                ["Upstash-Failure-Callback"] = "https://example.com/failed", ["Upstash-Failure-Callback-Forward-X"] = "y",
            },
            new SortedDictionary<string, string>(
                headers.Where(h => h.Key.StartsWith("Upstash-", StringComparison.Ordinal)).ToDictionary(), StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_label_beyond_ASCII_arrives()
    {
        await using var listener = await Receiver.StartAsync();
        listener.Otherwise = _ => Answer.Of(200, """{"messageId":"msg_1"}""");

        await new QStashClient(new QStashClientOptions { BaseUrl = new Uri(listener.BaseUrl), Token = "t" })
            .PublishAsync(Url, options: new() { Labels = ["größe"] });

        Assert.Equal("größe"u8, Encoding.Latin1.GetBytes(listener.All[0].Header("upstash-label")!));
    }

    [Theory]
    [InlineData("X-Evil", "a\r\nUpstash-Delay: 1s")]
    [InlineData("X-Evil", "a\0b")]
    [InlineData("X Evil", "a")]
    [InlineData("", "a")]
    [InlineData("X:", "a")]
    public async Task A_header_that_cannot_be_is_refused_and_not_left_out(string name, string value)
    {
        using var stub = new Stub(Stub.Published());

        await Assert.ThrowsAnyAsync<ArgumentException>(() => stub.NewClient().PublishAsync(Url, options: new() { Headers = { [name] = value } }));

        Assert.Empty(stub.Sent);
    }

    [Fact]
    public async Task So_is_a_setting_that_cannot_be()
    {
        foreach (var options in (PublishOptions[])
        [
            new() { Delay = TimeSpan.FromSeconds(-1) }, new() { Timeout = TimeSpan.FromTicks(-1) }, new() { Retries = -1 },
            new() { FlowControl = new("key") }, new() { DeduplicationId = "a\nb" }, new() { Labels = ["a\rb"] }, new() { Labels = ["a", "b,c"] },
            new() { Callback = new("https://example.com") { Retries = -1 } },
        ])
        {
            using var stub = new Stub(Stub.Published());
            await Assert.ThrowsAnyAsync<ArgumentException>(() => stub.NewClient().PublishAsync(Url, options: options));
            Assert.Empty(stub.Sent);
        }
    }

    [Fact]
    public async Task A_stream_goes_from_where_it_stands_and_stays_open()
    {
        using var stub = new Stub(Stub.Broken(), Stub.Published());
        using var stream = new MemoryStream([1, 2, 3, 255]) { Position = 1 };

        await stub.NewClient().PublishAsync(Url, await MessageBody.FromStreamAsync(stream));

        Assert.All(stub.Sent, sent => Assert.Equal([2, 3, 255], sent.Body));
        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task The_text_of_a_batch_keeps_its_type_and_its_letters()
    {
        using var stub = new Stub(Stub.Answer(200, """[{"messageId":"msg_1"}]"""));

        await stub.NewClient(configure: o => o.Retry.MaxRetries = 0).BatchAsync([new(Url, "größe \"<&>\"")]);

        // The official SDK leaves the type of a text out here, though not when it publishes.
        Assert.Equal(
            """[{"destination":"https://example.com","headers":{"content-type":"text/plain;charset=UTF-8","upstash-method":"POST"},"body":"größe \"<&>\""}]""",
            Encoding.UTF8.GetString(stub.Sent[0].Body));
    }

    [Fact]
    public async Task A_batch_has_no_place_for_bytes_that_are_no_text()
    {
        using var stub = new Stub(Stub.Answer(200, "[]"));

        await Assert.ThrowsAsync<ArgumentException>(() => stub.NewClient().BatchAsync([new(Url, new byte[] { 255 })]));

        Assert.Empty(stub.Sent);
    }

    [Fact]
    public async Task A_schedule_without_a_body_has_no_type()
    {
        using var stub = new Stub(Stub.Answer(200, """{"scheduleId":"scd_1"}"""));

        await stub.NewClient().Schedules.CreateAsync(Url, "* * * * *", "text");
        await stub.NewClient().Schedules.CreateAsync(Url, "* * * * *");

        // The official SDK calls every schedule's body JSON, also one that is not there.
        Assert.DoesNotContain("Content-Type", stub.Sent[1].Headers.Keys);
    }

    private static async Task<IReadOnlyDictionary<string, string>> HeadersAsync(PublishOptions options)
    {
        using var stub = new Stub(Stub.Published());
        await stub.NewClient(configure: o => o.Retry.MaxRetries = 0).PublishAsync(Url, options: options);
        return stub.Sent[0].Headers;
    }
}
