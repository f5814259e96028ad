using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FuncStash.Azure;
using static FuncStash.Storage.Tests.Rows;

namespace FuncStash.Storage.Tests;

/// <summary>What each step costs in billed operations, and that nothing is created twice.</summary>
public sealed class OperationTests(AzuriteAccount account)
{
    private static readonly TimeSpan s_lease = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Each_step_costs_one_operation_and_creation_happens_once()
    {
        var counter = new OperationCounter();
        using var store = new AzureStore(account.Options() with { OperationPolicy = counter });

        for (var i = 0; i < 2; i++)
        {
            await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row($"a{i}", 1))]) { Sends = [new("work", "x")] });
            var etag = (await store.Tables.CommitAsync(new("t", "p", [new Write.Upsert(Row($"b{i}", 1))]))).ETags[0];
            await store.Tables.CommitAsync(new("t", "p", [new Write.Replace(Row($"b{i}", 2), etag)]));
            await store.Tables.CommitAsync(new("t", "p",
                [new Write.Insert(Row($"c{i}", 1)), new Write.Upsert(Row($"d{i}", 1)), new Write.Delete($"b{i}", null)]));
            await store.Tables.GetAsync("t", "p", $"c{i}");
            await store.Tables.QueryAsync("t", "p", RowRange.Prefix("a"), 10);
            var lease = Assert.Single(await store.Queues.ReceiveAsync("work", 32, s_lease, TimeSpan.Zero));
            Assert.True(await store.Queues.RenewAsync(lease, s_lease));
            await store.Tables.CommitAsync(new("t", "p", [new Write.Delete($"a{i}", null)]) { LeaseEnd = new(lease) });
            Assert.Empty(await store.Queues.ReceiveAsync("work", 32, s_lease, TimeSpan.Zero));
            await store.Queues.CountAsync("work");
            await store.Bodies.PutAsync("body", new byte[100_000]);
            await store.Bodies.GetAsync("body");
            await store.Bodies.DeleteAsync("body");
        }

        Assert.Equal(
            new Dictionary<string, long>
            {
                ["blob create"] = 1, ["blob delete"] = 2, ["blob get"] = 2, ["blob put"] = 2,
                ["queue count"] = 2, ["queue create"] = 1, ["queue delete"] = 2, ["queue empty receive"] = 2,
                ["queue receive"] = 2, ["queue send"] = 2, ["queue update"] = 2,
                ["table create"] = 1, ["table delete"] = 2, ["table get"] = 2, ["table insert"] = 2, ["table query"] = 2,
                ["table replace"] = 2, ["table transaction"] = 2, ["table upsert"] = 2,
            },
            counter.Snapshot());
    }

    [Fact]
    public async Task A_ping_is_one_read_of_each_service_and_creates_nothing()
    {
        var counter = new OperationCounter();
        using var store = new AzureStore(account.Options() with { OperationPolicy = counter });

        await store.PingAsync();

        Assert.Equal(
            new Dictionary<string, long> { ["blob get"] = 1, ["queue count"] = 1, ["table get"] = 1 }, counter.Snapshot());
    }

    [Theory]
    [InlineData("Blob")]
    [InlineData("Queue")]
    [InlineData("Table")]
    public async Task A_ping_fails_when_one_of_the_services_does_not_answer(string service)
    {
        using var closed = new TcpListener(IPAddress.Loopback, 0);
        closed.Start();
        var port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        var text = Regex.Replace(account.Options().ConnectionString!, $@"(?<={service}Endpoint=http://127\.0\.0\.1:)\d+", $"{port}");
        Assert.Contains($":{port}/", text, StringComparison.Ordinal);
        using var store = new AzureStore(new AzureStoreOptions { ConnectionString = text });
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(500), TimeProvider.System);

        await Assert.ThrowsAnyAsync<Exception>(() => store.PingAsync(limit.Token).AsTask());
    }

    [Fact]
    public async Task An_idle_queue_is_asked_about_once_a_second_by_all_receivers_together()
    {
        var counter = new OperationCounter();
        using var store = new AzureStore(account.Options() with { OperationPolicy = counter });

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            store.Queues.ReceiveAsync("work", 32, s_lease, TimeSpan.FromSeconds(3)).AsTask()));

        // After 20, 40, 80, 160, 320 and 640 ms, then each second.
        Assert.InRange(counter["queue empty receive"], 2, 11);
    }

    [Fact]
    public async Task What_somebody_deleted_is_created_again()
    {
        var options = account.Options();
        using var store = new AzureStore(options);
        await store.Tables.CommitAsync(new("t", "p", [new Write.Insert(Row("a", 1))]) { Sends = [new("work", "x")] });
        await store.Bodies.PutAsync("body", new byte[1]);
        await new global::Azure.Data.Tables.TableClient(options.ConnectionString, options.TableName("t")).DeleteAsync();
        await new global::Azure.Storage.Queues.QueueClient(options.ConnectionString, options.QueueName("work")).DeleteAsync();
        await new global::Azure.Storage.Blobs.BlobContainerClient(options.ConnectionString, options.BodiesContainerName)
            .DeleteAsync();

        Assert.Null(await store.Tables.GetAsync("t", "p", "a"));
        Assert.Empty(await store.Tables.QueryAsync("t", "p", RowRange.Prefix(""), 10));
        Assert.Equal(0, await store.Queues.CountAsync("work"));
        Assert.Null(await store.Bodies.GetAsync("body"));
        await store.Bodies.DeleteAsync("body");
        var again = await store.Tables.CommitAsync(
            new("t", "p", [new Write.Insert(Row("a", 1))]) { Sends = [new("work", "x")] });
        await store.Bodies.PutAsync("body", new byte[1]);

        Assert.True(again.Applied);
        Assert.Single(await store.Queues.ReceiveAsync("work", 1, s_lease, TimeSpan.Zero));
        Assert.NotNull(await store.Bodies.GetAsync("body"));
    }
}
