using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Tests.Destinations;

/// <summary>The headers that a destination gets: what the service tells of the message, and what the publisher sends along.</summary>
public sealed class DeliveredHeadersTests : IAsyncDisposable
{
    private readonly TestService _service = new();
    private readonly RawReceiver _receiver;
    private string _answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    public DeliveredHeadersTests() => _receiver = RawReceiver.Start(async connection =>
    {
        while (await connection.ReadAsync() is not null)
            await connection.WriteAsync(_answer);
    });

    [Fact]
    public async Task Retries_are_told_in_each_attempt()
    {
        _answer = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
        await _service.PublishAsync(_receiver.Url(), "", ("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "1000 * (1 + retried)"));
        for (var i = 0; i < 3; i++)
        {
            await _service.DeliverDueAsync();
            _service.Time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(["0", "1", "2"], _receiver.Requests.Select(request => request.Header("Upstash-Retries")));
        Assert.Equal(["0", "1", "2"], _receiver.Requests.Select(request => request.Header("Upstash-Retried")));
        Assert.All(_receiver.Requests, request => Assert.Equal("2", request.Header("Upstash-Max-Retries")));
        Assert.All(_receiver.Requests, request => Assert.Equal("1000 * (1 + retried)", request.Header("Upstash-Retry-Delay")));
    }

    [Fact]
    public async Task What_was_not_asked_for_is_not_told()
    {
        var request = await DeliverAsync(("Upstash-Retries", "0"));

        Assert.Equal(("0", "0"), (request.Header("Upstash-Max-Retries"), request.Header("Upstash-Retries")));
        Assert.All(
            new[] { "Upstash-Retry-Delay", "Upstash-Flow-Control-Key", "Upstash-Flow-Control-Value" },
            name => Assert.Null(request.Header(name)));
    }

    [Theory]
    [InlineData("rate = 5, period=1m , parallelism=2", "parallelism=2,rate=5,period=60")]
    [InlineData("rate=5", "rate=5,period=1")]
    [InlineData("parallelism=2,period=1d", "parallelism=2,period=86400")]
    public async Task Flow_control_is_told_in_one_form(string given, string told)
    {
        var request = await DeliverAsync(("Upstash-Flow-Control-Key", "k.1"), ("Upstash-Flow-Control-Value", given));

        Assert.Equal(("k.1", told), (request.Header("Upstash-Flow-Control-Key"), request.Header("Upstash-Flow-Control-Value")));
    }

    [Fact]
    public async Task A_callback_tells_of_its_own_retries()
    {
        await _service.PublishAsync(
            _receiver.Url("/hook"), "", ("Upstash-Retries", "4"), ("Upstash-Callback", _receiver.Url("/done")), ("Upstash-Callback-Retries", "1"));
        await _service.DeliverDueAsync();

        Assert.Equal(["4", "1"], _receiver.Requests.Select(request => request.Header("Upstash-Max-Retries")));
    }

    [Theory]
    [InlineData("Upstash-Max-Retries", "3")]
    [InlineData("upstash-retries", "0")]
    [InlineData("UPSTASH-RETRY-DELAY", null)]
    [InlineData("Upstash-Flow-Control-Key", null)]
    [InlineData("Upstash-Flow-Control-Value", null)]
    public async Task The_services_own_win_over_forwarded_ones(string name, string? told)
    {
        var request = await DeliverAsync(("Upstash-Forward-" + name, "theirs"));

        Assert.Equal(told, request.Header(name));
    }

    [Theory]
    [InlineData("Upstash-Forward-User-Agent", "Upstash-Forward-X")]
    [InlineData("upstash-forward-user-agent", "Upstash-Forward-X")]
    [InlineData("User-Agent", "Upstash-Header-Forward")]
    public async Task A_forwarded_user_agent_is_the_one(string name, string other)
    {
        var request = await DeliverAsync((name, "Theirs/1.0 (a; b)"), (other, "true"));

        Assert.Equal("Theirs/1.0 (a; b)", request.Header("User-Agent"));
    }

    [Fact]
    public async Task Without_one_the_user_agent_is_QStashs() =>
        Assert.Equal("Upstash-QStash", (await DeliverAsync(("User-Agent", "curl/8"))).Header("User-Agent"));

    [Theory]
    [InlineData("Content-Encoding", false)]
    [InlineData("Content-Encoding", true)]
    [InlineData("Upstash-Forward-Content-Encoding", false)]
    public async Task The_encoding_of_the_bytes_travels_with_them(string name, bool forwardsAll)
    {
        var request = await DeliverAsync((name, "gzip"), ("Upstash-Header-Forward", forwardsAll ? "true" : "false"));

        Assert.Equal(("gzip", "body"), (request.Header("Content-Encoding"), Encoding.UTF8.GetString(request.Body)));
    }

    [Fact]
    public async Task A_forwarded_encoding_beats_that_of_the_call_and_several_are_one_list()
    {
        Assert.Equal("br", (await DeliverAsync(("Content-Encoding", "gzip"), ("Upstash-Forward-Content-Encoding", "br"))).Header("Content-Encoding"));
        Assert.Equal("gzip, br", (await DeliverAsync(("Content-Encoding", "gzip"), ("Content-Encoding", "br"))).Header("Content-Encoding"));
    }

    [Theory]
    [InlineData("Content-Language", "en, de")]
    [InlineData("Content-Disposition", "attachment; filename=\"a b.pdf\"")]
    [InlineData("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ==")]
    [InlineData("Content-Location", "/a?b")]
    [InlineData("Content-Range", "bytes 0-3/9")]
    [InlineData("Content-Digest", "sha-256=:abc=:")]
    [InlineData("Expires", "0")]
    [InlineData("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")]
    [InlineData("Allow", "GET")]
    [InlineData("Date", "not a date")]
    [InlineData("Authorization", "Bearer x y z")]
    [InlineData("If-Modified-Since", "whenever")]
    public async Task Any_header_is_forwarded_as_it_is(string name, string value)
    {
        foreach (var method in new[] { "POST", "GET", "DELETE" })
            Assert.Equal(value, (await DeliverAsync(("Upstash-Forward-" + name, value), ("Upstash-Method", method))).Header(name));
    }

    [Theory]
    [InlineData("content-encoding", "gzip")]
    [InlineData("Upstash-Forward-Content-Language", "en")]
    [InlineData("upstash-forward-user-agent", "Theirs/2")]
    public async Task In_a_batch_too(string name, string value)
    {
        var item = new JsonObject { ["destination"] = _receiver.Url(), ["headers"] = new JsonObject { [name] = value }, ["body"] = "x" };
        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/batch", $"[{item.ToJsonString()}]")).Status);
        await _service.DeliverDueAsync();

        Assert.Equal(value, _receiver.Requests[^1].Header(name.Replace("upstash-forward-", "", StringComparison.OrdinalIgnoreCase)));
    }

    [Theory]
    // UTF-8 and Latin-1, as the characters that their bytes are.
    [InlineData("Gr\u00C3\u00B6\u00C3\u009Fe.pdf", "Gr\u00C3\u00B6\u00C3\u009Fe.pdf")]
    [InlineData("Gr\u00F6\u00DFe.pdf", "Gr\u00F6\u00DFe.pdf")]
    [InlineData("\u0001\u007F\t\u0080\u00FF", "\u0001\u007F\t\u0080\u00FF")]
    // No byte: goes out as UTF-8.
    [InlineData("\u20AC", "\u00E2\u0082\u00AC")]
    // Nothing may end the line.
    [InlineData("a\r\nX-Smuggled: 1\0b", "a  X-Smuggled: 1 b")]
    public async Task The_bytes_of_a_value_go_out_as_they_are(string stored, string sent)
    {
        var header = new HeaderMap();
        header.Add("X-File", stored);
        header.Add("Content-Language", stored);
        var message = _service.NewMessage(_receiver.Url()) with { Header = header };
        await _service.Get<MessageStore>().CreateAsync([new(message)]);
        await _service.DeliverDueAsync();

        var request = Assert.Single(_receiver.Requests);
        Assert.Equal((sent, sent), (request.Header("X-File"), request.Header("Content-Language")));
        Assert.Null(request.Header("X-Smuggled"));
    }

    [Fact]
    public async Task The_bytes_of_an_answers_value_are_kept()
    {
        _answer = "HTTP/1.1 500 Oops\r\nX-File: Gr\u00F6\u00DFe \u00C3\u00B6\r\nContent-Language: \u00FC\r\nContent-Length: 0\r\n\r\n";
        var letter = await _service.DeadLetterAsync(await _service.AttemptAsync(_receiver.Url()));

        Assert.Equal("Gr\u00F6\u00DFe \u00C3\u00B6", (string?)letter["responseHeader"]!["X-File"]![0]);
        Assert.Equal("\u00FC", (string?)letter["responseHeader"]!["Content-Language"]![0]);
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _service.DisposeAsync();
    }

    private async Task<RawRequest> DeliverAsync(params (string Name, string Value)[] headers)
    {
        var before = _receiver.Requests.Count;
        await _service.PublishAsync(_receiver.Url(), "body", headers);
        await _service.DeliverDueAsync();
        return Assert.Single(_receiver.Requests.Skip(before));
    }
}
