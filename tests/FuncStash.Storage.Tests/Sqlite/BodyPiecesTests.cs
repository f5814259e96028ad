using FuncStash.Sqlite;
using FuncStash.Sqlite.Bodies;
using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>A payload is written a piece at a time, and is there when all of it is.</summary>
public sealed class BodyPiecesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Path => _folder.File("store.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_small_waits_for_a_piece_of_a_body_and_not_for_all_of_it()
    {
        await using var store = SqliteStore.Open(Path, TimeProvider.System);
        using ManualResetEventSlim busy = new(), gather = new();
        int begun = 0, later = 0;
        var held = Submit(store, new Step(session => { begun = session.PagesWritten; busy.Set(); gather.Wait(Cancelled); }));
        busy.Wait(Cancelled);
        var content = Content(1_000_000);
        var put = store.Bodies.PutAsync("body", content, Cancelled).AsTask();
        Task? second = null;
        var first = Submit(store, new Step(
            _ => { }, () => second = Submit(store, new Step(session => later = session.PagesWritten - begun))));
        gather.Set();

        await Task.WhenAll(held, first, put);
        await second!;
        Assert.InRange(later, 16, 50); // of 4 KB: the group of the first, and at most one that was taken before the second came
        Assert.Equal(content, await store.Bodies.GetAsync("body", Cancelled));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_body_ends_where_a_piece_does_or_a_byte_beside(int beside)
    {
        await using var store = SqliteStore.Open(Path, TimeProvider.System);
        for (var pieces = 1; pieces <= 3; pieces++)
        {
            var content = Content((pieces * Writer.BigBytes) + beside);
            await store.Bodies.PutAsync("body", content, Cancelled);
            Assert.Equal(content, await store.Bodies.GetAsync("body", Cancelled));
        }

        await store.Bodies.PutAsync("body", Content(10), Cancelled);
        Assert.Equal(0, Count("SELECT COUNT(*) FROM body_pieces"));
        await store.Bodies.PutAsync("body", Content(500_000), Cancelled);
        Assert.NotEqual(0, Count("SELECT COUNT(*) FROM body_pieces"));
        await store.Bodies.DeleteAsync("body", Cancelled);
        Assert.Equal(0, Count("SELECT COUNT(*) FROM body_pieces"));
    }

    [Fact]
    public async Task A_put_that_a_crash_ended_leaves_a_body_that_is_listed_and_not_found()
    {
        await using (var store = SqliteStore.Open(Path, TimeProvider.System))
            await store.Bodies.PutAsync("body", Content(500_000), Cancelled);
        using (var connection = Schema.OpenWriter(Path))
            connection.Execute("DELETE FROM body_pieces WHERE number = (SELECT MAX(number) FROM body_pieces)");

        await using var again = SqliteStore.Open(Path, TimeProvider.System);
        Assert.Null(await again.Bodies.GetAsync("body", Cancelled));
        Assert.Equal(["body"], (await again.Bodies.ListAsync(DateTimeOffset.MaxValue, null, 10, Cancelled)).Names);
        await again.Bodies.DeleteAsync("body", Cancelled);
        Assert.Equal(0, Count("SELECT COUNT(*) FROM body_pieces"));
    }

    [Fact]
    public async Task A_put_that_failed_leaves_nothing()
    {
        using var connection = Schema.OpenWriter(Path);
        connection.Execute("PRAGMA max_page_count = 200");
        using var writer = new Writer(new WriteSession(connection, new EntityCache(), TimeProvider.System), log: null);
        using var reading = Schema.OpenReader(Path);
        var bodies = new SqliteBodies(new Readers([new Reader(reading)]), writer);

        var full = await Assert.ThrowsAsync<StoreFailedException>(async () => await bodies.PutAsync("body", Content(5_000_000), Cancelled));
        Assert.Equal(13, full.Code); // SQLITE_FULL
        Assert.Equal(0, Count("SELECT (SELECT COUNT(*) FROM bodies) + (SELECT COUNT(*) FROM body_pieces)"));
        await bodies.PutAsync("body", Content(500_000), Cancelled);
        Assert.Equal(Content(500_000), await bodies.GetAsync("body", Cancelled));
    }

    [Fact]
    public async Task A_body_without_its_beginning_leaves_nothing()
    {
        await using var store = SqliteStore.Open(Path, TimeProvider.System);
        await Submit(store, new Step(
            session => session.PutBodyPiece.BindText(1, "body"u8).Bind(2, 1).BindBlob(3, Content(10)).Run()));

        Assert.Equal(0, Count("SELECT COUNT(*) FROM body_pieces"));
    }

    [Theory]
    [InlineData("name TEXT NOT NULL UNIQUE, content BLOB NOT NULL")]
    [InlineData("name TEXT NOT NULL UNIQUE, content BLOB NOT NULL, written INTEGER NOT NULL DEFAULT 0")]
    public async Task A_file_of_before_keeps_its_bodies_and_takes_new_ones(string columns)
    {
        var content = Content(500_000);
        await SqliteStore.Open(Path, TimeProvider.System).DisposeAsync();
        using (var connection = new Connection(Path, readOnly: false))
        {
            connection.Execute($"DROP TABLE body_pieces; DROP TABLE bodies; CREATE TABLE bodies({columns}); PRAGMA user_version = 1");
            connection.Prepare("INSERT INTO bodies(name, content) VALUES('old', ?1)").BindBlob(1, content).Run();
        }

        for (var run = 0; run < 2; run++)
        {
            await using var store = SqliteStore.Open(Path, TimeProvider.System);
            Assert.Equal(content, await store.Bodies.GetAsync("old", Cancelled));
            await store.Bodies.PutAsync("new", content, Cancelled);
            Assert.Equal(content, await store.Bodies.GetAsync("new", Cancelled));
        }
    }

    [Fact]
    public async Task A_file_of_a_later_version_is_refused_and_left_alone()
    {
        await SqliteStore.Open(Path, TimeProvider.System).DisposeAsync();
        using (var connection = new Connection(Path, readOnly: false))
            connection.Execute("PRAGMA user_version = 3");

        var refused = Assert.Throws<StoreFailedException>(() => SqliteStore.Open(Path, TimeProvider.System));
        Assert.Contains("another version (3)", refused.Message, StringComparison.Ordinal);
        Assert.Equal(3, Count("PRAGMA user_version"));
    }

    private long Count(string sql)
    {
        using var connection = new Connection(Path, readOnly: true);
        var read = connection.Prepare(sql);
        Assert.True(read.Step());
        return read.Number(0);
    }

    private static Task Submit(SqliteStore store, Step step)
    {
        store.Writer.Submit(step);
        return step.PlainTask.AsTask();
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }

    private sealed class Step(Action<WriteSession> apply, Action? publish = null) : Operation<bool>
    {
        public override void Apply(WriteSession session) => apply(session);

        public override void Publish(WriteSession session) => publish?.Invoke();
    }
}
