using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Tests.Destinations;

/// <summary>Names with several addresses, some of them dead (RFC 8305).</summary>
public sealed class AddressRaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource<Stream>> _attempts = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();
    private readonly ConcurrentDictionary<string, CancellationToken> _tokens = new(StringComparer.Ordinal);

    [Theory]
    [InlineData("1.0.0.1 1.0.0.2", "1.0.0.1 1.0.0.2")]
    [InlineData("a::1 a::2 1.0.0.1", "a::1 1.0.0.1 a::2")]
    [InlineData("1.0.0.1 1.0.0.2 1.0.0.3 a::1", "1.0.0.1 a::1 1.0.0.2 1.0.0.3")]
    [InlineData("a::1", "a::1")]
    public void The_families_take_turns(string given, string expected) =>
        Assert.Equal(expected, string.Join(' ', AddressRace.Order([.. given.Split(' ').Select(IPAddress.Parse)])));

    [Fact]
    public async Task An_address_that_says_nothing_gets_a_rival_after_250_ms()
    {
        var race = RaceAsync("1.0.0.1", "1.0.0.2");
        await TriedAsync(1);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal(["1.0.0.1"], _order);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await TriedAsync(2);
        var (winner, loser) = (new WatchedStream(), new WatchedStream());
        _attempts["1.0.0.2"].SetResult(winner);

        Assert.Same(winner, await race);
        Assert.True(_tokens["1.0.0.1"].IsCancellationRequested);
        // A loser that comes to be all the same is closed.
        _attempts["1.0.0.1"].SetResult(loser);
        await loser.Closed.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        Assert.False(winner.Closed.IsCompleted);
    }

    [Fact]
    public async Task The_first_may_still_win_after_others_have_begun()
    {
        var race = RaceAsync("1.0.0.1", "1.0.0.2");
        await TriedAsync(1);
        _time.Advance(AddressRace.Stagger);
        await TriedAsync(2);
        var winner = new WatchedStream();
        _attempts["1.0.0.1"].SetResult(winner);

        Assert.Same(winner, await race);
        Assert.True(_tokens["1.0.0.2"].IsCancellationRequested);
    }

    [Fact]
    public async Task A_refused_connection_hands_over_at_once()
    {
        var race = RaceAsync("1.0.0.1", "1.0.0.2");
        await TriedAsync(1);
        _attempts["1.0.0.1"].SetException(new SocketException((int)SocketError.ConnectionRefused));
        await TriedAsync(2);
        var winner = new WatchedStream();
        _attempts["1.0.0.2"].SetResult(winner);

        Assert.Same(winner, await race);
    }

    [Fact]
    public async Task Where_all_fail_a_failure_is_told()
    {
        var race = RaceAsync("1.0.0.1", "1.0.0.2");
        await TriedAsync(1);
        _time.Advance(AddressRace.Stagger);
        await TriedAsync(2);
        _attempts["1.0.0.2"].SetException(new SocketException((int)SocketError.ConnectionRefused));
        _attempts["1.0.0.1"].SetException(new SocketException((int)SocketError.HostUnreachable));

        var told = (await Assert.ThrowsAsync<SocketException>(() => race)).SocketErrorCode;
        Assert.Contains(told, new[] { SocketError.ConnectionRefused, SocketError.HostUnreachable });
    }

    [Fact]
    public async Task The_end_of_the_attempt_ends_them_all()
    {
        using var stop = new CancellationTokenSource();
        var race = RaceAsync(stop.Token, "1.0.0.1", "1.0.0.2");
        await TriedAsync(1);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => race);
        Assert.True(_tokens["1.0.0.1"].IsCancellationRequested);
    }

    [Fact]
    public async Task Of_a_hundred_dead_addresses_few_are_tried_at_once()
    {
        using var stop = new CancellationTokenSource();
        var race = RaceAsync(stop.Token, [.. Enumerable.Range(1, 100).Select(i => $"1.0.0.{i}")]);
        await TriedAsync(8, inTime: true);
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(AddressRace.Stagger);
            await Task.Yield();
        }
        Assert.Equal(8, _order.Count);
        _attempts["1.0.0.1"].SetException(new SocketException((int)SocketError.TimedOut));
        await TriedAsync(9);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => race);
    }

    [Fact]
    public async Task A_closed_address_takes_no_part()
    {
        var connector = new DestinationConnector(
            new AddressPolicy(new FuncStashOptions { AllowPrivateNetworks = false }), _time,
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.1"), IPAddress.Parse("8.8.8.8"), IPAddress.Parse("::1")]),
            (address, cancellation) => ConnectAsync(address.Address, cancellation));
        var connecting = connector.ConnectAsync(new DnsEndPoint("example.com", 80), default).AsTask();
        await TriedAsync(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        _attempts["8.8.8.8"].SetException(new SocketException((int)SocketError.ConnectionRefused));

        await Assert.ThrowsAsync<SocketException>(() => connecting);
        Assert.Equal(["8.8.8.8"], _order);
    }

    [Theory]
    [InlineData("127.0.0.1", "localhost")]
    [InlineData("::1", "localhost")]
    [InlineData("127.0.0.1", "LOCALHOST.")]
    [InlineData("::1", "app.localhost")]
    public async Task An_application_at_localhost_is_found_at_either_address(string address, string host)
    {
        await using var service = new TestService();
        await using var receiver = RawReceiver.Start(
            async connection =>
            {
                await connection.ReadAsync();
                await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            },
            IPAddress.Parse(address));

        var id = await service.AttemptAsync(receiver.Url("/hook", host));

        Assert.Equal(MessageState.Delivered, await service.StateAsync(id));
    }

    [Fact]
    public async Task Where_nobody_listens_the_error_says_so()
    {
        await using var service = new TestService();
        int port;
        using (var closed = new TcpListener(IPAddress.Loopback, 0))
        {
            closed.Start();
            port = ((IPEndPoint)closed.LocalEndpoint).Port;
        }

        var error = Assert.Single(await service.ErrorsAsync(await service.AttemptAsync($"http://localhost:{port}/")));
        Assert.Contains("refused", (string?)error["error"], StringComparison.OrdinalIgnoreCase);
    }

    private Task<Stream> RaceAsync(params string[] addresses) => RaceAsync(default, addresses);

    private Task<Stream> RaceAsync(CancellationToken cancellation, params string[] addresses) =>
        AddressRace.ConnectAsync([.. addresses.Select(IPAddress.Parse)], ConnectAsync, _time, cancellation);

    private Task<Stream> ConnectAsync(IPAddress address, CancellationToken cancellation)
    {
        var name = address.ToString();
        _tokens[name] = cancellation;
        var attempt = _attempts.GetOrAdd(name, _ => new TaskCompletionSource<Stream>(TaskCreationOptions.RunContinuationsAsynchronously));
        _order.Enqueue(name);
        return attempt.Task;
    }

    private async Task TriedAsync(int count, bool inTime = false)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (_order.Count < count)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(10), $"only {_order.Count} were tried");
            if (inTime)
                _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }
    }

    private sealed class WatchedStream : MemoryStream
    {
        private readonly TaskCompletionSource _closed = new();

        public Task Closed => _closed.Task;

        protected override void Dispose(bool disposing)
        {
            _closed.TrySetResult();
            base.Dispose(disposing);
        }
    }
}
