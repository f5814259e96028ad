using FuncStash.Sqlite;
using FuncStash.Sqlite.Bodies;
using FuncStash.Sqlite.Entities;
using FuncStash.Sqlite.Sql;
using FuncStash.Sqlite.Writing;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>A payload is written a piece at a time, and is there when all of it is.</summary>
public sealed class BodyPiecesTests : IDisposable
{
    private const string Rest = "SELECT (SELECT COUNT(*) FROM bodies WHERE first > 0) + (SELECT COUNT(*) FROM body_pieces) + (SELECT COUNT(*) FROM body_puts)";

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
        foreach (var pieces in new[] { 1, 2, 3, 8, 9, 17 })
        {
            var content = Content((pieces * BodyPut.PieceBytes) + beside);
            await store.Bodies.PutAsync("body", content, Cancelled);
            Assert.Equal(content, await store.Bodies.GetAsync("body", Cancelled));
            Assert.Equal(content.Length <= BodyPut.PieceBytes ? 0 : pieces + (beside > 0 ? 1 : 0), Count("SELECT COUNT(*) FROM body_pieces"));
        }

        await store.Bodies.PutAsync("body", Content(10), Cancelled);
        Assert.Equal(0, Count(Rest));
        await store.Bodies.PutAsync("body", Content(500_000), Cancelled);
        Assert.NotEqual(0, Count(Rest));
        await store.Bodies.DeleteAsync("body", Cancelled);
        Assert.Equal(0, Count(Rest));
    }

    [Fact]
    public async Task What_was_there_stays_until_all_pieces_of_the_next_are()
    {
        await using var store = SqliteStore.Open(Path, TimeProvider.System);
        byte[][] contents = [Content(500_000), Content(500_001), Content(700_000)];
        await store.Bodies.PutAsync("body", contents[0], Cancelled);
        var puts = Task.WhenAll(Enumerable.Range(1, 60).Select(i => store.Bodies.PutAsync("body", contents[i % 3], Cancelled).AsTask()));
        do
        {
            var found = await store.Bodies.GetAsync("body", Cancelled);
            Assert.Contains(contents, content => content.AsSpan().SequenceEqual(found));
        }
        while (!puts.IsCompleted);

        await puts;
        await store.Bodies.DeleteAsync("body", Cancelled);
        Assert.Equal(0, Count(Rest));
    }

    [Fact]
    public async Task What_a_killed_process_wrote_of_a_body_goes_when_the_store_is_opened()
    {
        var killed = _folder.File("killed.db");
        await using (var store = SqliteStore.Open(Path, TimeProvider.System))
        {
            await store.Bodies.PutAsync("whole", Content(500_000), Cancelled);
            var put = new BodyPut("half"u8.ToArray(), Content(500_000));
            await Submit(store, put.Piece(0));
            await Submit(store, put.Piece(1));
            File.Copy(Path, killed);
            File.Copy(Path + "-wal", killed + "-wal");
        }

        await using var again = SqliteStore.Open(killed, TimeProvider.System);
        Assert.Equal(Content(500_000), await again.Bodies.GetAsync("whole", Cancelled));
        Assert.Equal(8, Count("SELECT COUNT(*) FROM body_pieces", killed));
        Assert.Null(await again.Bodies.GetAsync("half", Cancelled));
        Assert.Equal(["whole"], (await again.Bodies.ListAsync(DateTimeOffset.UnixEpoch, DateTimeOffset.MaxValue, null, 10, Cancelled)).Names);
    }

    [Fact]
    public async Task A_piece_behind_one_that_failed_is_not_taken_for_the_last()
    {
        await using var store = SqliteStore.Open(Path, TimeProvider.System);
        var put = new BodyPut("body"u8.ToArray(), Content(200_000));
        await Submit(store, put.Piece(0));
        await Submit(store, put.Piece(2));
        await Submit(store, put.Piece(3));
        Assert.Null(await store.Bodies.GetAsync("body", Cancelled));
        await Submit(store, put.Abandoned());
        Assert.Equal(0, Count(Rest));
    }

    [Theory]
    [InlineData("MIN")]
    [InlineData("MAX")]
    public async Task A_body_of_which_a_piece_is_missing_is_an_error_and_takes_none_of_another(string which)
    {
        await using (var store = SqliteStore.Open(Path, TimeProvider.System))
            await store.Bodies.PutAsync("body", Content(500_000), Cancelled);
        using (var connection = new Connection(Path, readOnly: false))
            connection.Execute($"DELETE FROM body_pieces WHERE id = (SELECT {which}(id) FROM body_pieces)");

        await using var again = SqliteStore.Open(Path, TimeProvider.System);
        await again.Bodies.PutAsync("behind", Content(500_001), Cancelled);
        await Assert.ThrowsAsync<InvalidDataException>(() => again.Bodies.GetAsync("body", Cancelled).AsTask());
        Assert.Equal(Content(500_001), await again.Bodies.GetAsync("behind", Cancelled));
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
        Assert.Equal(0, Count(Rest));
        await bodies.PutAsync("body", Content(500_000), Cancelled);
        Assert.Equal(Content(500_000), await bodies.GetAsync("body", Cancelled));
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
            connection.Execute($"DROP TABLE body_pieces; DROP TABLE body_puts; DROP TABLE bodies; CREATE TABLE bodies({columns}); PRAGMA user_version = 1");
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

    private long Count(string sql, string? path = null)
    {
        using var connection = new Connection(path ?? Path, readOnly: true);
        var read = connection.Prepare(sql);
        Assert.True(read.Step());
        return read.Number(0);
    }

    private static Task Submit(SqliteStore store, Operation<bool> step)
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
