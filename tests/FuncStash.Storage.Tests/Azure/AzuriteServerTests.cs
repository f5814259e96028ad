using FuncStash.Azure;
using static FuncStash.Storage.Tests.Rows;

namespace FuncStash.Storage.Tests;

/// <summary>The emulator as the fault tests use it.</summary>
public sealed class AzuriteServerTests
{
    [Fact]
    public async Task A_stop_keeps_what_was_acknowledged_and_a_kill_ends_in_the_same_account()
    {
        await using var server = await AzuriteServer.StartAsync();
        var connection = server.ConnectionString;
        using var store = new AzureStore(new AzureStoreOptions { ConnectionString = connection });
        await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]) { Sends = [new("work", "x")] });
        await store.Bodies.PutAsync("body", new byte[] { 1, 2, 3 });

        await server.StopAsync();
        Assert.False(server.IsRunning);
        await server.RestartAsync();

        Assert.Equal(connection, server.ConnectionString);
        Assert.Equal(1, (await store.Tables.GetAsync("t", "p", "a"))?.Number("N"));
        Assert.Equal([1, 2, 3], await store.Bodies.GetAsync("body"));
        Assert.Equal("x", Assert.Single(
            await store.Queues.ReceiveAsync("work", 1, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5))).Text);

        server.Kill();
        Assert.False(server.IsRunning);
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), TimeProvider.System);
        await Assert.ThrowsAnyAsync<Exception>(() => store.PingAsync(limit.Token).AsTask());
        await server.RestartAsync();
        await store.PingAsync();
        Assert.Equal(connection, server.ConnectionString);
    }

    [Fact]
    public async Task One_that_saves_at_once_keeps_what_it_acknowledged_when_it_is_killed()
    {
        await using var server = await AzuriteServer.StartAsync(savesAtOnce: true);
        using var store = new AzureStore(new AzureStoreOptions { ConnectionString = server.ConnectionString });
        for (var i = 0; i < 3; i++)
        {
            await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row($"r{i}", i))]) { Sends = [new("work", $"x{i}")] });
            await store.Bodies.PutAsync($"body{i}", new byte[] { (byte)i });
            server.Kill();
            await server.RestartAsync();
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(i, (await store.Tables.GetAsync("t", "p", $"r{i}"))?.Number("N"));
            Assert.Equal((byte[])[(byte)i], await store.Bodies.GetAsync($"body{i}"));
        }
        Assert.Equal(3, await store.Queues.CountAsync("work"));
    }

    [Fact]
    public async Task Putting_its_clock_forward_ends_leases_and_delays()
    {
        await using var server = await AzuriteServer.StartAsync();
        using var store = new AzureStore(new AzureStoreOptions { ConnectionString = server.ConnectionString });
        await store.Queues.SendAsync([new("work", "held"), new("work", "delayed", TimeSpan.FromMinutes(11))]);
        var lease = Assert.Single(await ReceiveAsync());
        Assert.Equal("held", lease.Text);
        Assert.Empty(await ReceiveAsync());

        await server.ForwardAsync(TimeSpan.FromMinutes(10));
        Assert.Equal("held", Assert.Single(await ReceiveAsync()).Text);
        await server.ForwardAsync(TimeSpan.FromMinutes(1));
        await server.StopAsync();
        await server.RestartAsync();
        Assert.Equal("delayed", Assert.Single(await ReceiveAsync()).Text);

        ValueTask<IReadOnlyList<Lease>> ReceiveAsync() =>
            store.Queues.ReceiveAsync("work", 10, TimeSpan.FromMinutes(10), TimeSpan.Zero);
    }
}
