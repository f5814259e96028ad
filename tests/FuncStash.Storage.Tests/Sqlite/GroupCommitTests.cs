using System.Text;
using FuncStash.Sqlite;
using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;
using FuncStash.Storage;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>Operations that share a transaction do not share a fate.</summary>
public sealed class GroupCommitTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_the_operation_at_fault_fails()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        await store.Queues.SendAsync([new Send("queue", "m")], Cancelled);
        var lease = Assert.Single(await store.Queues.ReceiveAsync(
            "queue", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero, Cancelled));
        using var hold = new ManualResetEventSlim();
        var held = Submit(store, new Operating(_ => hold.Wait(Cancelled)));

        var before = store.Tables.CommitAsync(new Commit("t", "p", [Insert("before")]), Cancelled).AsTask();
        var bad = Submit(store, new Operating(session =>
        {
            session.PutBody.BindText(1, "body"u8).BindBlob(2, "x"u8).Run();
            session.InsertMessage.BindText(1, "queue"u8).Bind(2, 0).Bind(3, 0).BindText(4, ""u8).Run();
            session.InsertMessage.BindText(1, "queue"u8).Bind(2, 0).Bind(3, 0).BindText(4, ""u8).Run(); // twice one key
        }));
        var after = store.Tables.CommitAsync(
            new Commit("t", "p", [Insert("after")]) { LeaseEnd = new LeaseEnd(lease), Sends = [new Send("queue", "next")] },
            Cancelled).AsTask();
        hold.Set(); // what gathered meanwhile is one group

        await held;
        await Assert.ThrowsAsync<StoreFailedException>(() => bad);
        Assert.True((await before).Applied && (await after).Applied);
        Assert.Equal(["after", "before"], (await store.Tables.QueryAsync(
            "t", "p", RowRange.Prefix(""), 10, cancellation: Cancelled)).Select(e => e.RowKey));
        Assert.Null(await store.Bodies.GetAsync("body", Cancelled));
        Assert.Equal("next", Assert.Single(await store.Queues.ReceiveAsync(
            "queue", 10, TimeSpan.FromMinutes(1), TimeSpan.Zero, Cancelled)).Text);
        Assert.Equal(1, await store.Queues.CountAsync("queue", Cancelled));
    }

    [Fact]
    public async Task A_lease_outlives_an_end_that_could_not_be_written()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        await store.Queues.SendAsync([new Send("queue", "m")], Cancelled);
        var lease = Assert.Single(await store.Queues.ReceiveAsync(
            "queue", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero, Cancelled));
        var twice = new Commit("t", "p", [Insert("r"), Insert("r")]) { LeaseEnd = new LeaseEnd(lease) };

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.Tables.CommitAsync(twice, Cancelled));

        Assert.Null(await store.Tables.GetAsync("t", "p", "r", Cancelled));
        Assert.True(await store.Queues.RenewAsync(lease, TimeSpan.FromMinutes(1), Cancelled));
        Assert.True(await store.Queues.DeleteAsync(lease, Cancelled));
    }

    [Fact]
    public async Task After_a_sync_that_failed_nothing_is_acknowledged_any_more()
    {
        using var folder = new TemporaryFolder();
        using var connection = Schema.OpenWriter(folder.File("store.db"));
        var log = LogSync.TakeOver(folder.File("store.db"), connection);
        Assert.SkipWhen(log is null, "SQLite itself syncs on this system");
        using var writer = new Writer(new WriteSession(connection, log, new EntityCache(), TimeProvider.System));
        await Put("a");
        log.Dispose(); // every later sync fails

        await Assert.ThrowsAnyAsync<Exception>(() => Put("b"));
        await Assert.ThrowsAnyAsync<Exception>(() => Put("c"));
        Assert.NotNull(writer.Broken);

        Task Put(string name)
        {
            var put = new Operating(session => session.PutBody.BindText(1, Encoding.UTF8.GetBytes(name)).BindBlob(2, "x"u8).Run());
            writer.Submit(put);
            return put.Task.AsTask();
        }
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a#b")]
    [InlineData("a?b")]
    [InlineData("a%b")]
    [InlineData("a\nb")]
    public async Task A_key_that_Azure_Table_would_not_take_is_refused_here_too(string key)
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);

        await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.Tables.CommitAsync(new Commit("t", "p", [Insert(key)]), Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(async () => await store.Tables.GetAsync("t", key, "r", Cancelled));
    }

    private static Task<bool> Submit(SqliteStore store, Operating operation)
    {
        store.Writer.Submit(operation);
        return operation.Task.AsTask();
    }

    private static Write.Insert Insert(string row) => new(new Entity("p", row, new Dictionary<string, object>()));

    private sealed class Operating(Action<WriteSession> apply) : Operation<bool>
    {
        public override void Apply(WriteSession session) => apply(session);
    }
}
