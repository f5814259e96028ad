using System.Text;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Tests.Destinations;

/// <summary>Destinations that answer before they have read the request, and then read on, stop, close or reset.</summary>
public sealed class EarlyAnswerTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly string s_large = string.Concat(Enumerable.Range(0, 90_000).Select(i => $"{i,9} "));

    // More than the buffers on the way take from a destination that does not read.
    private static readonly string s_huge = string.Concat(Enumerable.Range(0, 1_600_000).Select(i => $"{i,9} "));

    private static readonly FuncStashOptions s_forHuge = new() { MaxBodyBytes = 20_000_000 };

    [Theory]
    [InlineData("413 Content Too Large", "close")]
    [InlineData("413 Content Too Large", "reset")]
    [InlineData("413 Content Too Large", "hang")]
    [InlineData("401 Unauthorized", "close")]
    [InlineData("401 Unauthorized", "hang")]
    [InlineData("500 Internal Server Error", "reset")]
    public async Task The_status_of_a_refusal_counts_with_its_headers_and_body(string status, string then)
    {
        await using var service = new TestService(s_forHuge);
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync($"HTTP/1.1 {status}\r\nX-Why: size\r\nContent-Length: 3\r\n\r\nno!");
            if (then == "reset")
                connection.Reset();
            else if (then == "hang")
                await connection.HangAsync();
        });

        // A race on the wire, so many times.
        for (var i = 0; i < (then == "hang" ? 2 : 20); i++)
        {
            var letter = await service.DeadLetterAsync(await service.AttemptAsync(receiver.Url(), then == "hang" ? s_huge : s_large));

            Assert.Equal(int.Parse(status[..3], null), (int?)letter["responseStatus"]);
            Assert.Equal("size", (string?)letter["responseHeader"]!["X-Why"]![0]);
            Assert.Equal("no!", (string?)letter["responseBody"]);
        }
    }

    [Fact]
    public async Task A_489_before_the_body_is_final()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync("HTTP/1.1 489 Never\r\nUpstash-NonRetryable-Error: true\r\nContent-Length: 0\r\n\r\n");
        });

        var id = await service.PublishAsync(receiver.Url(), s_large, ("Upstash-Retries", "5"));
        await service.DeliverDueAsync();

        Assert.Equal(MessageState.Failed, await service.StateAsync(id));
        Assert.Equal(1, receiver.Connections);
    }

    [Theory]
    [InlineData("hang")]
    [InlineData("close")]
    public async Task On_a_kept_connection_the_status_counts_too(string then)
    {
        await using var service = new TestService(s_forHuge);
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
            if (await connection.ReadHeadAsync() is null)
                return;
            await connection.WriteAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
            if (then == "hang")
                await connection.HangAsync();
        });

        for (var i = 0; i < 3; i++)
        {
            var small = await service.AttemptAsync(receiver.Url(), "small");
            var large = await service.AttemptAsync(receiver.Url(), s_huge);

            Assert.Equal(MessageState.Delivered, await service.StateAsync(small));
            Assert.Equal(413, (int?)(await service.DeadLetterAsync(large))["responseStatus"]);
        }
    }

    [Fact]
    public async Task Who_accepts_early_and_reads_on_gets_the_whole_message()
    {
        await using var service = new TestService(s_forHuge);
        var bodies = new List<string>();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync(Ok);
                bodies.Add(await connection.ReadSlowlyAsync(s_huge.Length, TimeSpan.FromMilliseconds(2)));
            }
        });

        for (var i = 0; i < 3; i++)
            Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url(), s_huge)));

        await service.PassTimeUntilAsync(Task.Run(async () =>
        {
            while (bodies.Count < 3)
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }));
        Assert.All(bodies, body => Assert.Equal(s_huge, body));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("2s")]
    public async Task Who_accepts_early_and_reads_no_more_has_accepted(string? timeout)
    {
        await using var service = new TestService(s_forHuge);
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadHeadAsync();
            await connection.WriteAsync(Ok);
            await connection.HangAsync();
        });

        var (id, passed) = await service.AttemptInTimeAsync(
            receiver.Url(), s_huge, timeout is null ? [] : [("Upstash-Timeout", timeout)]);

        Assert.Equal(MessageState.Delivered, await service.StateAsync(id));
        Assert.InRange(passed.TotalSeconds, 0, timeout is null ? 15 : 3);
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")]
    [InlineData("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\nX-A: 413\r\n\r\n")]
    public async Task An_interim_answer_is_no_reason_to_stop(string interim)
    {
        await using var service = new TestService(s_forHuge);
        await using var receiver = RawReceiver.Start(async connection =>
        {
            while (await connection.ReadHeadAsync() is not null)
            {
                await connection.WriteAsync(interim);
                Assert.Equal(s_huge, await connection.ReadSlowlyAsync(s_huge.Length, TimeSpan.FromMilliseconds(1)));
                await connection.WriteAsync(Ok);
            }
        });

        for (var i = 0; i < 2; i++)
            Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url(), s_huge)));
        Assert.Equal(1, receiver.Connections);
    }

    [Theory]
    [InlineData(0, "HTTP/1.1 2")]
    [InlineData(200, "HTTP/1.1 200")]
    [InlineData(413, "HTTP/1.1 413 \r\n")]
    [InlineData(101, "HTTP/1.1 101 Switching Protocols\r\n")]
    [InlineData(0, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 10")]
    [InlineData(404, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404")]
    [InlineData(204, "HTTP/1.1 103 Early Hints\nLink: HTTP/1.1 500\n\nHTTP/1.1 102\r\n\r\nHTTP/1.0 204 No Content")]
    [InlineData(0, "")]
    public void The_status_is_found_however_the_bytes_come(int status, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var size = 1; size <= bytes.Length; size++)
        {
            var scanner = new StatusScanner();
            var found = 0;
            foreach (var part in bytes.Chunk(size))
            {
                if (found == 0)
                    found = scanner.Take(part);
            }
            Assert.Equal(status, found);
        }
    }
}
