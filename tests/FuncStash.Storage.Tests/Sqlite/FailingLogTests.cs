using FuncStash.Sqlite;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>What cannot be made durable is refused, leaves no trace in file, memory or cache, and does no harm to the rest.</summary>
public sealed class FailingLogTests
{
    private const int Full = 13, SyncFailed = 10 | (4 << 8);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/dev/full", Full)]
    [InlineData("/dev/null", SyncFailed)]
    public async Task A_commit_that_is_not_durable_fails_and_the_store_goes_on_when_the_disk_does(string device, int code)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "open files cannot be exchanged for these devices elsewhere");
        SystemCalls.Watch();
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        await store.Queues.SendAsync([new Send("queue", "m")], Cancelled);
        var lease = Assert.Single(await store.Queues.ReceiveAsync("queue", 1, TimeSpan.FromHours(1), TimeSpan.Zero, Cancelled));
        Assert.Null(await Get(store, "r")); // rows of this kind are wanted in the cache from now on
        var first = (await store.Tables.CommitAsync(new Commit("t", "p", [new Write.Insert(Row("r", "first"))]), Cancelled)).ETags[0];

        using (new FailingLog(path, device))
        {
            var replace = new Commit("t", "p", [new Write.Replace(Row("r", "failed"), first), new Write.Insert(Row("rolled back", ""))])
            {
                LeaseEnd = new LeaseEnd(lease),
                Sends = [new Send("queue", "failed")],
            };
            var commit = store.Tables.CommitAsync(replace, Cancelled).AsTask();
            var body = store.Bodies.PutAsync("body", new byte[10], Cancelled).AsTask();
            Assert.Equal(code, (await Assert.ThrowsAsync<StoreFailedException>(() => commit)).Code);
            Assert.Equal(code, (await Assert.ThrowsAsync<StoreFailedException>(() => body)).Code);
            await AssertOnlyFirst(store);
        }

        await AssertOnlyFirst(store);
        var again = await store.Tables.CommitAsync(
            new Commit("t", "p", [new Write.Replace(Row("r", "second"), first)]) { LeaseEnd = new LeaseEnd(lease) }, Cancelled);
        Assert.True(again.Applied);
        Assert.Equal("second", (await Get(store, "r"))!.Values["V"]);

        // As it is at this moment, without the checkpoint of an orderly end.
        File.Copy(path, folder.File("crashed.db"));
        File.Copy(path + "-wal", folder.File("crashed.db-wal"));
        await using var crashed = SqliteStore.Open(folder.File("crashed.db"), TimeProvider.System);
        Assert.Equal("second", (await Get(crashed, "r"))!.Values["V"]);
        Assert.Null(await Get(crashed, "rolled back"));
        Assert.Null(await crashed.Bodies.GetAsync("body", Cancelled));
        Assert.Equal(0, await crashed.Queues.CountAsync("queue", Cancelled));
    }

    private static async Task AssertOnlyFirst(SqliteStore store)
    {
        Assert.Equal("first", (await Get(store, "r"))!.Values["V"]); // by the cache
        var stored = Assert.Single(await store.Tables.QueryAsync("t", "p", RowRange.Prefix(""), 10, cancellation: Cancelled));
        Assert.Equal("first", stored.Values["V"]); // by the file
        Assert.Null(await store.Bodies.GetAsync("body", Cancelled));
        Assert.Empty(await store.Queues.ReceiveAsync("queue", 10, TimeSpan.FromHours(1), TimeSpan.Zero, Cancelled));
        Assert.Equal(1, await store.Queues.CountAsync("queue", Cancelled));
    }

    private static ValueTask<Entity?> Get(SqliteStore store, string row) => store.Tables.GetAsync("t", "p", row, Cancelled);

    private static Entity Row(string row, string value) => new("p", row, new Dictionary<string, object> { ["V"] = value });
}
