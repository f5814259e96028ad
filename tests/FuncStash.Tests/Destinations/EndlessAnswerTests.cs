using System.IO.Pipelines;
using System.Text;
using FuncStash.Destinations;
using FuncStash.Messages;

namespace FuncStash.Tests.Destinations;

/// <summary>Answers whose body does not end, comes slowly, or breaks off: the status has decided.</summary>
public sealed class EndlessAnswerTests
{
    private const string Stream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

    [Theory]
    [InlineData(Stream)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")]
    public async Task A_stream_of_events_that_never_ends_is_a_delivery(string head)
    {
        await using var service = new TestService();
        var closed = new TaskCompletionSource();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(head);
            try
            {
                while (true)
                {
                    await connection.WriteAsync(head == Stream ? "data: tick\n\n" : "c\r\ndata: tick\n\n\r\n");
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                }
            }
            finally
            {
                closed.TrySetResult();
            }
        });

        var (id, passed) = await service.AttemptInTimeAsync(receiver.Url(), "", ("Upstash-Timeout", "2s"));

        Assert.Equal(MessageState.Delivered, await service.StateAsync(id));
        Assert.InRange(passed, Outbound.BodyTime, Outbound.BodyTime + TimeSpan.FromSeconds(2));
        // The connection is dropped, and with it what the stream costs the other side.
        await closed.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
    }

    [Fact]
    public async Task No_more_bytes_are_read_than_are_kept()
    {
        await using var service = new TestService(new() { MaxBodyBytes = 10_000 });
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync("HTTP/1.1 500 Oops\r\n\r\n");
            while (true)
                await connection.WriteAsync(new string('x', 5_000));
        });

        var letter = await service.DeadLetterAsync(await service.AttemptAsync(receiver.Url()));

        Assert.Equal(500, (int?)letter["responseStatus"]);
        Assert.Equal(new string('x', 10_000), (string?)letter["responseBody"]);
    }

    [Fact]
    public async Task Of_a_failure_with_a_body_that_trickles_the_beginning_is_kept()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync("HTTP/1.1 503 Busy\r\nContent-Length: 1000\r\nX-Why: load\r\n\r\nbegun");
            await connection.HangAsync();
        });

        var (id, _) = await service.AttemptInTimeAsync(receiver.Url(), "", ("Upstash-Timeout", "2s"));
        var letter = await service.DeadLetterAsync(id);

        Assert.Equal((503, "begun"), ((int?)letter["responseStatus"], (string?)letter["responseBody"]));
        Assert.Equal("load", (string?)letter["responseHeader"]!["X-Why"]![0]);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n5\r\nbro", "begunbro", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nno number\r\n", null, false)]
    [InlineData("Content-Length: 100\r\n\r\nbegun", "begun", false)]
    [InlineData("Content-Length: 100\r\n\r\nbegun", "begun", true)]
    [InlineData("\r\nbegun", "begun", true)]
    public async Task A_body_that_breaks_off_leaves_the_status(string rest, string? body, bool reset)
    {
        await using var service = new TestService();
        var status = "200 OK";
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync($"HTTP/1.1 {status}\r\n{rest}");
            if (!reset)
                return;
            // Time for what was sent to be read.
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            connection.Reset();
        });

        Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url())));
        status = "500 Oops";
        var letter = await service.DeadLetterAsync(await service.AttemptAsync(receiver.Url()));
        Assert.Equal((500, body), ((int?)letter["responseStatus"], (string?)letter["responseBody"]));
    }

    [Fact]
    public async Task Headers_that_do_not_come_in_time_are_no_answer()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nX-Slow: yes\r\n");
            await connection.HangAsync();
        });

        var (id, passed) = await service.AttemptInTimeAsync(receiver.Url(), "", ("Upstash-Timeout", "2s"));

        Assert.InRange(passed.TotalSeconds, 2, 3);
        Assert.Equal("no response within 2 s", (string?)Assert.Single(await service.ErrorsAsync(id))["error"]);
    }

    [Fact]
    public async Task A_callback_waits_for_the_whole_body_as_long_as_the_attempt_may_take()
    {
        await using var service = new TestService();
        // Longer than the body of an answer nobody is told of.
        var over = service.Time.GetUtcNow() + Outbound.BodyTime + TimeSpan.FromSeconds(3);
        var called = new TaskCompletionSource<string>();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            while (await connection.ReadAsync() is { } request)
            {
                if (request.Head.Contains("/done", StringComparison.Ordinal))
                    called.TrySetResult(Encoding.UTF8.GetString(request.Body));
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1st ");
                while (service.Time.GetUtcNow() < over)
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
                await connection.WriteAsync("2nd ");
            }
        });

        await service.AttemptInTimeAsync(receiver.Url(), "", ("Upstash-Callback", receiver.Url("/done")), ("Upstash-Timeout", "1m"));

        Assert.Contains(Convert.ToBase64String("1st 2nd "u8), await called.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_stops_takes_what_has_come()
    {
        using var stop = new CancellationTokenSource();
        var body = new Pipe();
        using var response = new HttpResponseMessage { Content = new StreamContent(body.Reader.AsStream()) };
        await body.Writer.WriteAsync("begun"u8.ToArray());
        var reading = AnswerBody.ReadAsync(response, 1000, TimeSpan.FromHours(1), TimeProvider.System, stop.Token);
        Assert.False(reading.IsCompleted);
        await stop.CancelAsync();

        var (read, isCut) = await reading.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        Assert.Equal("begun"u8.ToArray(), read);
        Assert.True(isCut);
    }
}
