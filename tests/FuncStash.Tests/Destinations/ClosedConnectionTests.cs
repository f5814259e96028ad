using System.Net.Sockets;
using FuncStash.Destinations;
using FuncStash.Messages;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Tests.Destinations;

/// <summary>Connections that the other side closes, kept ones and fresh ones (RFC 9112 §9.3.1, RFC 9112 §9.6).</summary>
public sealed class ClosedConnectionTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    [Theory]
    [InlineData("close")]
    [InlineData("reset")]
    [InlineData("end sending")]
    public async Task A_server_that_closes_after_each_answer_without_saying_so_gets_every_message_once(string how)
    {
        const int Many = 400;
        var random = new Random(1);
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
            // Between no time at all and three milliseconds, in which the next request may be on its way.
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(3000)), TimeProvider.System);
            if (how == "reset")
                connection.Reset();
            else if (how == "end sending")
            {
                connection.EndSending();
                await connection.UntilClosedAsync();
            }
        });
        var ids = new List<string>();
        for (var i = 0; i < Many; i++)
        {
            ids.Add(await service.AttemptAsync(receiver.Url()));
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(4000)), TimeProvider.System);
        }

        foreach (var id in ids)
            Assert.Equal(MessageState.Delivered, await service.StateAsync(id));
        Assert.Equal(ids.Order(), receiver.Requests.Select(request => request.Header("Upstash-Message-Id")).Order());
        Assert.All(receiver.Requests, request => Assert.Equal("0", request.Header("Upstash-Retried")));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("GET")]
    public async Task A_kept_connection_that_breaks_is_one_resend_at_once_on_a_fresh_one(string method)
    {
        await using var service = new TestService();
        // Connections that answer one request and break with the next one: each kept one is a trap.
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
            await connection.ReadAsync();
        });
        foreach (var round in new[] { 8, 8 })
        {
            for (var i = 0; i < round; i++)
                await service.PublishAsync(receiver.Url($"/{i}"), "", ("Upstash-Retries", "0"), ("Upstash-Method", method));
            await Task.WhenAll((await service.ReceiveAsync()).Select(service.RunAsync));
        }

        var events = (await service.CallAsync("GET", "/v2/events")).Json["events"]!.AsArray();
        Assert.Equal(16, events.Count(entry => (string?)entry!["state"] == "DELIVERED"));
        Assert.DoesNotContain(events, entry => (string?)entry!["state"] == "ERROR");
        // No message was sent more than twice.
        Assert.All(receiver.Requests.CountBy(request => request.Header("Upstash-Message-Id")!), sent => Assert.InRange(sent.Value, 1, 2));
    }

    [Fact]
    public async Task One_that_breaks_after_a_while_is_a_failed_attempt()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
            await connection.ReadAsync();
            // It was at work on the request, and perhaps done with it.
            service.Time.Advance(TimeSpan.FromSeconds(1));
        });

        var first = await service.AttemptAsync(receiver.Url(), "a");
        var second = await service.AttemptAsync(receiver.Url(), "b");

        Assert.Equal((MessageState.Delivered, MessageState.Failed), (await service.StateAsync(first), await service.StateAsync(second)));
        Assert.Equal((1, 2), (receiver.Connections, receiver.Requests.Count));
    }

    [Fact]
    public async Task A_resend_that_breaks_too_is_the_failed_attempt()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            if (connection.Number > 0)
                return;
            await connection.WriteAsync(Ok);
            await connection.ReadAsync();
        });

        var first = await service.AttemptAsync(receiver.Url(), "a");
        var second = await service.AttemptAsync(receiver.Url(), "b");

        Assert.Equal((MessageState.Delivered, MessageState.Failed), (await service.StateAsync(first), await service.StateAsync(second)));
        Assert.Equal((2, 3), (receiver.Connections, receiver.Requests.Count));
        var error = Assert.Single(await service.ErrorsAsync(second));
        Assert.Equal("the destination closed the connection without an answer", (string?)error["error"]);
    }

    [Fact]
    public void One_that_is_gone_before_its_first_use_was_closed() => Assert.Equal(
        "the destination closed the connection without an answer",
        FailureText.Of(new HttpRequestException("Transport endpoint is not connected", new SocketException((int)SocketError.NotConnected))));

    [Theory]
    [InlineData("POST", "close at once")]
    [InlineData("POST", "reset at once")]
    [InlineData("POST", "close")]
    [InlineData("POST", "reset")]
    [InlineData("POST", "half a status line")]
    [InlineData("GET", "close at once")]
    [InlineData("GET", "reset at once")]
    [InlineData("GET", "close")]
    [InlineData("GET", "reset")]
    public async Task A_fresh_connection_that_breaks_is_a_failed_attempt_and_only_one(string method, string how)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            if (!how.EndsWith("at once", StringComparison.Ordinal))
                await connection.ReadAsync();
            if (how.StartsWith("reset", StringComparison.Ordinal))
                connection.Reset();
            else if (how == "half a status line")
                await connection.WriteAsync("HTTP/1.1 2");
        });

        var id = await service.AttemptAsync(receiver.Url(), "", ("Upstash-Method", method));

        Assert.Equal(MessageState.Failed, await service.StateAsync(id));
        Assert.Equal(1, receiver.Connections);
        var error = Assert.Single(await service.ErrorsAsync(id));
        Assert.Equal(0, (int?)(await service.DeadLetterAsync(id))["responseStatus"]);
        Assert.Matches("[Cc]onnection|response ended", (string?)error["error"]);
    }

    [Theory]
    [InlineData("Connection: close\r\n", "DELIVERED")]
    [InlineData("", "FAILED")]
    public async Task A_408_that_closes_a_kept_connection_was_meant_for_its_idleness(string header, string state)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(async connection =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
            await connection.ReadAsync();
            await connection.WriteAsync($"HTTP/1.1 408 Request Timeout\r\n{header}Content-Length: 0\r\n\r\n");
        });

        await service.AttemptAsync(receiver.Url(), "a");
        var id = await service.AttemptAsync(receiver.Url(), "b");

        Assert.Equal(state, (await service.StateAsync(id)).Wire());
    }

    [Fact]
    public async Task A_408_on_a_fresh_connection_is_an_answer()
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Answering("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

        var id = await service.AttemptAsync(receiver.Url());

        Assert.Equal(408, (int?)(await service.DeadLetterAsync(id))["responseStatus"]);
        Assert.Single(receiver.Requests);
    }

    [Theory]
    [InlineData("Connection: close\r\n", 3)]
    [InlineData("Keep-Alive: timeout=1\r\n", 3)]
    [InlineData("Keep-Alive: max=0\r\n", 3)]
    [InlineData("Connection: keep-alive\r\nKeep-Alive: timeout=60\r\n", 1)]
    public async Task What_a_server_says_of_its_connections_is_heeded(string header, int connections)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Answering($"HTTP/1.1 200 OK\r\n{header}Content-Length: 0\r\n\r\n");

        for (var i = 0; i < 3; i++)
            await service.AttemptAsync(receiver.Url());

        Assert.Equal((connections, 3), (receiver.Connections, receiver.Requests.Count));
    }

    [Fact]
    public async Task A_connection_that_waited_for_its_first_request_counts_as_kept()
    {
        var time = new FakeTimeProvider();
        Assert.False(await IsKeptAsync());
        time.Advance(TimeSpan.FromSeconds(1));
        var stream = new ExchangeStream(new MemoryStream(), time, new OpenConnections(8));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await IsKeptAsync(stream));

        async Task<bool> IsKeptAsync(ExchangeStream? connection = null)
        {
            using var exchange = new Exchange(time, TimeSpan.FromMinutes(1));
            exchange.Enter();
            await (connection ?? new ExchangeStream(new MemoryStream(), time, new OpenConnections(8))).WriteAsync(new byte[1]);
            return exchange.IsOnKeptConnection;
        }
    }
}
