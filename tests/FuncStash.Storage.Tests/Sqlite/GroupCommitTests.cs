using System.Text;
using FuncStash.Sqlite;
using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;

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
        var held = Submit(store.Writer, new Operating(_ => hold.Wait(Cancelled)));

        var before = store.Tables.CommitAsync(new Commit("t", "p", [Insert("before")]), Cancelled).AsTask();
        var bad = Submit(store.Writer, new Operating(session =>
        {
            InsertBody(session, "body", new byte[1]);
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
    public async Task What_does_not_fit_on_the_disk_fails_alone()
    {
        using var folder = new TemporaryFolder();
        using var connection = Schema.OpenWriter(folder.File("store.db"));
        connection.Execute("PRAGMA max_page_count = 200");
        using var writer = new Writer(new WriteSession(connection, new EntityCache(), TimeProvider.System), log: null);
        using var hold = new ManualResetEventSlim();
        var held = Submit(writer, new Operating(_ => hold.Wait(Cancelled)));
        var small = Submit(writer, Put("small", 1_000));
        var large = Submit(writer, Put("large", 5_000_000));
        var other = Submit(writer, Put("other", 1_000));
        hold.Set();

        await Task.WhenAll(held, small, other);
        Assert.Equal(13, (await Assert.ThrowsAsync<StoreFailedException>(() => large)).Code); // SQLITE_FULL
        await Submit(writer, Put("later", 1_000));

        using var reading = Schema.OpenReader(folder.File("store.db"));
        var names = reading.Prepare("SELECT group_concat(name) FROM (SELECT name FROM bodies ORDER BY name)");
        Assert.True(names.Step());
        Assert.Equal("later,other,small", Encoding.UTF8.GetString(names.Bytes(0)));

        static Operating Put(string name, int length) => new(session =>
            InsertBody(session, name, new byte[length]));
    }

    [Fact]
    public async Task What_is_small_waits_for_one_of_the_big_ones_at_most()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        using ManualResetEventSlim busy = new(), gather = new();
        var order = new List<string>(); // of the writer's thread alone
        var held = Submit(store.Writer, new Operating(_ => { busy.Set(); gather.Wait(Cancelled); }));
        busy.Wait(Cancelled);
        var all = Enumerable.Range(0, 20).Select(i => Submit(store.Writer, Applied($"big {i}", 1_000_000))).ToList();
        Task? last = null;
        all.Add(Submit(store.Writer, new Operating(
            _ => order.Add("small"), () => last = Submit(store.Writer, Applied("small, later", 100)), 100)));
        gather.Set();

        await held;
        await Task.WhenAll(all);
        await last!;
        Assert.InRange(order.IndexOf("small"), 0, 1);
        Assert.InRange(order.IndexOf("small, later"), 1, 3);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"big {i}"), order.Where(name => name.StartsWith("big", StringComparison.Ordinal)));

        Operating Applied(string name, int bytes) => new(_ => order.Add(name), null, bytes);
    }

    [Fact]
    public async Task Big_ones_share_a_sync_where_nothing_small_waits()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        using ManualResetEventSlim busy = new(), gather = new();
        var order = new List<string>(); // of the writer's thread alone
        var held = Submit(store.Writer, new Operating(_ => { busy.Set(); gather.Wait(Cancelled); }));
        busy.Wait(Cancelled);
        var all = Enumerable.Range(0, 8).Select(i => Submit(
            store.Writer, new Operating(_ => order.Add("applied"), () => order.Add("durable"), 200_000))).ToList();
        gather.Set();

        await held;
        await Task.WhenAll(all);
        Assert.Equal([.. Enumerable.Repeat("applied", 8), .. Enumerable.Repeat("durable", 8)], order);
    }

    [Fact]
    public async Task The_log_is_moved_beside_the_writer_and_starts_over()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        var body = new byte[500_000];
        for (var i = 0; i < 40; i++)
            await store.Bodies.PutAsync($"{i}", body, Cancelled);

        // A commit of the writer alone would move it after 128 MB.
        await Eventually.GetAsync(() => Task.FromResult(new FileInfo(path).Length), length => length > 15_000_000);
        var before = new FileInfo(path + "-wal").Length;
        await Eventually.GetAsync(GrownAsync, grown => !grown);

        async Task<bool> GrownAsync()
        {
            await store.Bodies.PutAsync("again", body, Cancelled);
            var now = new FileInfo(path + "-wal").Length;
            var grown = now > before;
            before = now;
            return grown;
        }
    }

    [Fact]
    public async Task What_is_big_and_what_is_small_goes_on_while_the_log_is_moved_again_and_again()
    {
        const int Bodies = 200, AtOnce = 4;
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        var body = new byte[500_000];
        long small = 0;
        // Ends with big ones that wait: an end takes them along.
        await using (var store = SqliteStore.Open(path, TimeProvider.System))
        {
            var big = Parallel.ForAsync(0, Bodies, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, stop) =>
                await store.Bodies.PutAsync($"{i}", body, stop));
            for (; !big.IsCompleted; small++)
                await store.Queues.SendAsync([new Send("queue", "m")], Cancelled);
            await big.WaitAsync(TimeSpan.FromSeconds(60), Cancelled);
            for (var i = 0; i < 40; i++)
                _ = store.Bodies.PutAsync($"{i}", body, Cancelled).AsTask();
        }

        await using var again = SqliteStore.Open(path, TimeProvider.System);
        Assert.Equal(small, await again.Queues.CountAsync("queue", Cancelled));
        for (var i = 0; i < Bodies; i++)
            Assert.Equal(body.Length, (await again.Bodies.GetAsync($"{i}", Cancelled))!.Length);
        // All of it went by the log, which starts over.
        Assert.InRange(new FileInfo(path + "-wal").Length, 0, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task What_is_big_is_moved_while_it_is_little()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        await store.Bodies.PutAsync("big", new byte[500_000], Cancelled);

        await Eventually.GetAsync(() => Task.FromResult(new FileInfo(path).Length), length => length > 500_000);
    }

    [Fact]
    public async Task What_could_not_be_moved_beside_the_writer_is_not_moved_by_it()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        using var connection = Schema.OpenWriter(path);
        // It fails at each move, as on a disk that is full.
        using var log = new LogKeeper(Schema.OpenReader(path));
        using var writer = new Writer(new WriteSession(connection, new EntityCache(), TimeProvider.System), log);
        var before = new FileInfo(path).Length;
        var body = new byte[500_000];
        for (var i = 0; i < 60; i++)
        {
            var name = $"{i}";
            await Submit(writer, new Operating(session => InsertBody(session, name, body), null, body.Length));
        }

        Assert.Equal(before, new FileInfo(path).Length);
        Assert.InRange(new FileInfo(path + "-wal").Length, 30_000_000, long.MaxValue);
    }

    [Fact]
    public async Task Whoever_meets_a_message_finds_the_writes_that_stood_before_it()
    {
        using var folder = new TemporaryFolder();
        await using var store = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
        Assert.Null(await store.Tables.GetAsync("t", "p", "r", Cancelled)); // wanted in the cache from now on
        var old = await store.Tables.CommitAsync(new Commit("t", "p", [Insert("r")]), Cancelled);
        Assert.NotNull(await store.Tables.GetAsync("t", "p", "r", Cancelled));
        using ManualResetEventSlim busy = new(), gather = new(), durable = new(), publish = new();
        var held = Submit(store.Writer, new Operating(_ => { busy.Set(); gather.Wait(Cancelled); }));
        busy.Wait(Cancelled); // what follows is one group
        var ahead = Submit(store.Writer, new Operating(_ => { }, () => { durable.Set(); publish.Wait(Cancelled); }));
        var replaced = new Entity("p", "r", new Dictionary<string, object> { ["New"] = true });
        var commit = store.Tables.CommitAsync(
            new Commit("t", "p", [new Write.Replace(replaced, old.ETags[0])]) { Sends = [new Send("queue", "m")] }, Cancelled).AsTask();
        gather.Set();
        durable.Wait(Cancelled); // the commit is in the file, and nothing in memory knows of it

        try
        {
            Assert.Single(await store.Queues.ReceiveAsync("queue", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero, Cancelled));
            Assert.True((await store.Tables.GetAsync("t", "p", "r", Cancelled))!.Values.ContainsKey("New"));
        }
        finally
        {
            publish.Set();
        }

        await Task.WhenAll(held, ahead, commit);
        Assert.True((await store.Tables.GetAsync("t", "p", "r", Cancelled))!.Values.ContainsKey("New"));
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

    private static Task<bool> Submit(Writer writer, Operating operation)
    {
        writer.Submit(operation);
        return operation.Task.AsTask();
    }

    private static Write.Insert Insert(string row) => new(new Entity("p", row, new Dictionary<string, object>()));

    private static void InsertBody(WriteSession session, string name, byte[] content) =>
        session.InsertBody.BindText(1, Encoding.UTF8.GetBytes(name)).BindBlob(2, content).Bind(3, session.Now)
            .Bind(4, 0).Bind(5, 0).Bind(6, 0).Run();

    private sealed class Operating(Action<WriteSession> apply, Action? publish = null, int bytes = 0) : Operation<bool>
    {
        public override int Bytes => bytes;

        public override void Apply(WriteSession session) => apply(session);

        public override void Publish(WriteSession session) => publish?.Invoke();
    }
}
