using System.Text;
using FuncStash.Sqlite;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>What cannot be made durable is refused, leaves no trace in file, memory or cache, and does no harm to the rest.</summary>
public sealed class FailingLogTests
{
    private const int Full = 13, SyncFailed = 10 | (4 << 8);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/dev/full", Full, 10)]
    [InlineData("/dev/full", Full, 2_500_000)] // more than the log gathers: fails before the sync
    [InlineData("/dev/null", SyncFailed, 10)]
    [InlineData("/dev/null", SyncFailed, 2_500_000)]
    public async Task A_commit_that_is_not_durable_fails_and_the_store_goes_on_when_the_disk_does(string device, int code, int size)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the log is SQLite's own elsewhere");
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
            var body = store.Bodies.PutAsync("body", new byte[size], Cancelled).AsTask();
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

    [Fact]
    public void What_a_rolled_back_transaction_has_left_to_write_does_not_harm_the_next()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        using var connection = Schema.OpenWriter(path);
        connection.Execute("PRAGMA cache_size = 10"); // pages go to the log before the commit
        connection.Execute("INSERT INTO bodies(name, content) VALUES('first', randomblob(100000))");
        connection.Execute("BEGIN; INSERT INTO bodies(name, content) VALUES('lost', randomblob(300000)); ROLLBACK");
        connection.Execute("INSERT INTO bodies(name, content) VALUES('second', randomblob(50000))");

        File.Copy(path, folder.File("crashed.db"));
        File.Copy(path + "-wal", folder.File("crashed.db-wal"));
        using var crashed = Schema.OpenWriter(folder.File("crashed.db"));
        foreach (var open in new[] { connection, crashed })
            Assert.Equal("first,second ok", Text(open, "SELECT group_concat(name) || ' ' || (SELECT * FROM pragma_integrity_check) FROM bodies"));
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

    private static string Text(Connection connection, string sql)
    {
        var read = connection.Prepare(sql);
        Assert.True(read.Step());
        var text = Encoding.UTF8.GetString(read.Bytes(0));
        read.Reset();
        return text;
    }

    private static ValueTask<Entity?> Get(SqliteStore store, string row) => store.Tables.GetAsync("t", "p", row, Cancelled);

    private static Entity Row(string row, string value) => new("p", row, new Dictionary<string, object> { ["V"] = value });
}
