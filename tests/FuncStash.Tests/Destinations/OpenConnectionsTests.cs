using System.Net;
using System.Net.Sockets;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;

namespace FuncStash.Tests.Destinations;

/// <summary>Connections to destinations, all of them together.</summary>
public sealed class OpenConnectionsTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    // The lookups of hosts have eight of them.
    private static readonly FuncStashOptions s_two = new() { MaxConnections = 10 };

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task For_a_new_one_the_one_that_has_been_idle_for_longest_is_closed()
    {
        await using var service = new TestService(s_two);
        var closed = new List<int>();
        await using var receivers = new Receivers(5, async (connection, number) =>
        {
            while (await connection.ReadAsync() is not null)
                await connection.WriteAsync(Ok);
            lock (closed)
                closed.Add(number);
        });
        foreach (var receiver in receivers.All)
            Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receiver.Url())));
        await UntilAsync(() => closed.Count == 3);
        // The last two are still there, and go on serving.
        await service.AttemptAsync(receivers.All[3].Url());
        await service.AttemptAsync(receivers.All[4].Url());

        Assert.Equal([0, 1, 2], closed.Order());
        Assert.Equal([1, 1, 1, 1, 1], receivers.All.Select(receiver => receiver.Connections));
    }

    [Fact]
    public async Task A_message_that_finds_all_in_use_waits_and_has_used_up_no_attempt()
    {
        await using var service = new TestService(s_two);
        var answer = new TaskCompletionSource();
        await using var receivers = new Receivers(3, async (connection, _) =>
        {
            await connection.ReadAsync();
            await answer.Task;
            await connection.WriteAsync(Ok);
        });
        var ids = new List<string>();
        foreach (var receiver in receivers.All)
            ids.Add(await service.PublishAsync(receiver.Url(), "", ("Upstash-Retries", "0")));
        var leases = await service.ReceiveAsync();
        var running = leases.Take(2).Select(service.RunAsync).ToList();
        await UntilAsync(() => receivers.All.Sum(receiver => receiver.Requests.Count) == 2);
        await service.RunAsync(leases[2]).WaitAsync(s_patience, TimeProvider.System);
        answer.SetResult();
        await Task.WhenAll(running);

        Assert.Empty(await service.ReceiveAsync());
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await service.DeliverDueAsync();

        foreach (var id in ids)
        {
            Assert.Equal(MessageState.Delivered, await service.StateAsync(id));
            Assert.Empty(await service.ErrorsAsync(id));
        }
        Assert.All(receivers.All, receiver => Assert.Equal("0", Assert.Single(receiver.Requests).Header("Upstash-Retried")));
    }

    [Fact]
    public async Task Those_that_failed_or_were_given_up_take_no_place()
    {
        await using var service = new TestService(s_two);
        await using var receivers = new Receivers(1, async (connection, _) =>
        {
            await connection.ReadAsync();
            await connection.WriteAsync(Ok);
        });
        int port;
        using (var nobody = new TcpListener(IPAddress.Loopback, 0))
        {
            nobody.Start();
            port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        }
        for (var i = 0; i < 5; i++)
            await service.AttemptAsync($"http://127.0.0.1:{port}/");

        Assert.Equal(MessageState.Delivered, await service.StateAsync(await service.AttemptAsync(receivers.All[0].Url())));
    }

    [Fact]
    public async Task One_that_the_next_request_has_taken_is_not_closed_because_the_last_is_over()
    {
        using var receiver = new TcpListener(IPAddress.Loopback, 0);
        receiver.Start();
        var address = (IPEndPoint)receiver.LocalEndpoint;
        var all = new OpenConnections(1);
        await using var connection =
            new ExchangeStream(await all.ConnectAsync(address, TestContext.Current.CancellationToken), TimeProvider.System, all);
        using var last = new Exchange(TimeProvider.System, s_patience);
        using var next = new Exchange(TimeProvider.System, s_patience);
        foreach (var exchange in new[] { last, next })
        {
            exchange.Enter();
            await connection.WriteAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        all.NoteIdle(connection, last);
        await Assert.ThrowsAsync<OwnLimitException>(() => all.ConnectAsync(address, TestContext.Current.CancellationToken));
        all.NoteIdle(connection, next);
        await (await all.ConnectAsync(address, TestContext.Current.CancellationToken)).DisposeAsync();
    }

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, "open files are used up")]
    [InlineData(SocketError.NoBufferSpaceAvailable, "memory of the network is used up")]
    [InlineData(SocketError.ConnectionRefused, null)]
    [InlineData(SocketError.AddressNotAvailable, null)]
    [InlineData(SocketError.HostNotFound, null)]
    public void What_runs_out_here_is_no_fault_of_the_destination(SocketError code, string? reason) =>
        Assert.Equal(reason, OwnLimits.Reason(new HttpRequestException("failed", new SocketException((int)code))));

    [Fact]
    public void A_thread_that_cannot_be_started_is_no_fault_of_the_destination() =>
        Assert.NotNull(OwnLimits.Reason(new TaskSchedulerException(new InsufficientMemoryException())));

    [Fact]
    public void An_address_that_can_be_sent_to_lacks_nothing_but_a_port() =>
        Assert.True(OwnLimits.IsOutOfPorts(new IPEndPoint(IPAddress.Loopback, 9)));

    private static async Task UntilAsync(Func<bool> holds)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < s_patience, "waited in vain");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    private sealed class Receivers(int count, Func<RawConnection, int, Task> serve) : IAsyncDisposable
    {
        public IReadOnlyList<RawReceiver> All { get; } =
            [.. Enumerable.Range(0, count).Select(number => RawReceiver.Start(connection => serve(connection, number)))];

        public async ValueTask DisposeAsync()
        {
            foreach (var receiver in All)
                await receiver.DisposeAsync();
        }
    }
}
