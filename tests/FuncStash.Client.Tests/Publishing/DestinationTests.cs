using FuncStash.Client.Tests.Retries;

namespace FuncStash.Client.Tests.Publishing;

/// <summary>Where a message goes, as it stands in the request.</summary>
public sealed class DestinationTests
{
    public static TheoryData<string, string> Written => new()
    {
        { "http://example.com", "http://example.com" },
        { "https://Example.COM:8443/A", "https://Example.COM:8443/A" },
        { "HTTPS://example.com/", "HTTPS://example.com/" },
        { "https://example.com/a/../b/./c", "https://example.com/a/../b/./c" },
        { "https://example.com//a//b", "https://example.com//a//b" },
        { "https://example.com/%7Ex/%c3%bc?q=%41&q=+&r", "https://example.com/%7Ex/%c3%bc?q=%41&q=+&r" },
        { "https://example.com/?", "https://example.com/?" },
        { "https://example.com/a?u=https://other.example.com/x?y", "https://example.com/a?u=https://other.example.com/x?y" },
        { "http://[::1]:3000/a", "http://[::1]:3000/a" },
        { "https://example.com/größe?n=ü", "https://example.com/gr%C3%B6%C3%9Fe?n=%C3%BC" },
        { "https://example.com/a b|\"<>\\^`{}", "https://example.com/a%20b%7C%22%3C%3E%5C%5E%60%7B%7D" },
        { "https://example.com/😀", "https://example.com/%F0%9F%98%80" },
        { "https://example.com/a?b#c?d", "https://example.com/a?b" },
        { "orders.v2_EU-1", "orders.v2_EU-1" },
    };

    public static TheoryData<string> Wrong =>
        ["example.com/hook", "ftp://example.com", "/hook", "..", ".", "a b", "orders\n", "https://", "https:///hook", "mailto:a@example.com", "a/../b"];

    [Theory]
    [MemberData(nameof(Written))]
    public async Task It_arrives_as_it_is_written(string destination, string expected)
    {
        await using var listener = await Receiver.StartAsync();
        listener.Otherwise = _ => Answer.Of(200, """{"messageId":"msg_1","scheduleId":"scd_1"}""");
        var client = new QStashClient(new QStashClientOptions { BaseUrl = new Uri(listener.BaseUrl), Token = "t" });

        await client.PublishAsync(destination);
        await client.EnqueueAsync("mail", destination);
        await client.Schedules.CreateAsync(destination, "* * * * *");

        Assert.Equal(
            ["/v2/publish/" + expected, "/v2/enqueue/mail/" + expected, "/v2/schedules/" + expected],
            listener.All.Select(request => request.Target));
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task What_is_none_is_refused_before_any_call(string destination)
    {
        using var stub = new Stub(Stub.Published());
        var client = stub.NewClient();

        await Assert.ThrowsAsync<ArgumentException>(() => client.PublishAsync(destination));
        await Assert.ThrowsAsync<ArgumentException>(() => client.EnqueueAsync("mail", destination));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Schedules.CreateAsync(destination, "* * * * *"));
        Assert.Empty(stub.Sent);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080/")]
    [InlineData("http://127.0.0.1:8080")]
    public async Task The_base_url_may_end_in_a_slash(string baseUrl)
    {
        using var stub = new Stub(Stub.Published());

        await stub.NewClient(configure: options => options.BaseUrl = new Uri(baseUrl)).PublishAsync("https://example.com");

        Assert.Equal("/v2/publish/https://example.com", stub.Sent[0].Target);
    }

    [Fact]
    public async Task The_base_url_may_have_a_path()
    {
        using var stub = new Stub(Stub.Published());

        await stub.NewClient(configure: options => options.BaseUrl = new Uri("https://example.com/qstash/")).PublishAsync("orders");

        Assert.Equal("/qstash/v2/publish/orders", stub.Sent[0].Target);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    public async Task An_id_that_would_make_another_call_of_it_is_refused(string id)
    {
        using var stub = new Stub(Stub.Answer(200, """{"cancelled":9}"""));
        var client = stub.NewClient();

        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.Messages.CancelAsync(id));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.Dlq.DeleteAsync(id));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.Queues.DeleteAsync(id));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => client.EnqueueAsync(id, "orders"));
        Assert.Empty(stub.Sent);
    }

    [Fact]
    public async Task An_id_is_escaped()
    {
        using var stub = new Stub(Stub.Answer(200));

        await stub.NewClient().Messages.CancelAsync("a/b?c=d#e");

        Assert.Equal("/v2/messages/a%2Fb%3Fc%3Dd%23e", stub.Sent[0].Target);
    }

    [Fact]
    public async Task Bulk_calls_want_to_be_told_when_they_mean_everything()
    {
        using var stub = new Stub(Stub.Answer(200, """{"cancelled":9,"deleted":9,"responses":[]}"""));
        var client = stub.NewClient();

        await Assert.ThrowsAsync<ArgumentException>(() => client.Messages.CancelWhereAsync(new()));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Messages.CancelWhereAsync(new() { Urls = ["https://example.com"], Labels = [] }));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Dlq.DeleteWhereAsync(new()));
        await Assert.ThrowsAsync<ArgumentException>(() => client.Dlq.DeletePageAsync(new()));
        Assert.Throws<ArgumentException>(() => client.Dlq.RetryWhereAsync(new()));
        Assert.Equal(0, await client.Messages.CancelManyAsync([]));
        Assert.Equal(0, await client.Dlq.DeleteManyAsync([]));
        Assert.Empty(stub.Sent);
    }
}
