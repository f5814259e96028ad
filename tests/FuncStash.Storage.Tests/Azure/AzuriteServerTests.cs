using FuncStash.Azure;
using FuncStash.Testing;
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
}
