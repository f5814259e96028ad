using FuncStash.Sqlite;

namespace FuncStash.Storage.Tests.Sqlite;

public sealed class OwnershipTests
{
    [Fact]
    public async Task A_second_open_is_told_who_is_in_the_way_until_the_first_is_closed()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await using (SqliteStore.Open(path, TimeProvider.System))
        {
            var inUse = Assert.Throws<StoreInUseException>(() => SqliteStore.Open(path, TimeProvider.System));
            Assert.Equal(path, inUse.Path);
            Assert.Contains(path, inUse.Message, StringComparison.Ordinal);
        }

        await using var again = SqliteStore.Open(path, TimeProvider.System);
        await again.PingAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_link_to_a_store_is_the_store()
    {
        using var folder = new TemporaryFolder();
        await using var store = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
        File.CreateSymbolicLink(folder.File("link.db"), folder.File("store.db"));

        Assert.Throws<StoreInUseException>(() => SqliteStore.Open(folder.File("link.db"), TimeProvider.System));
    }

    [Fact]
    public async Task Stores_in_memory_are_apart_and_leave_nothing()
    {
        await using SqliteStore one = SqliteStore.Open(":memory:", TimeProvider.System),
            other = SqliteStore.Open(":memory:", TimeProvider.System);
        await one.Bodies.PutAsync("b", new byte[1], TestContext.Current.CancellationToken);

        Assert.Null(await other.Bodies.GetAsync("b", TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(Environment.CurrentDirectory, "*memory*"));
    }

    [Fact]
    public async Task SQLite_does_not_count_its_memory_under_a_lock()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        Assert.Equal(0, SQLitePCL.raw.sqlite3_memory_used());
    }

    [Fact]
    public void A_file_that_is_no_store_is_refused_and_left_alone()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("store.db"), new string('x', 5_000));

        Assert.Throws<StoreFailedException>(() => SqliteStore.Open(folder.File("store.db"), TimeProvider.System));
        Assert.Equal(new string('x', 5_000), File.ReadAllText(folder.File("store.db")));
        using var free = File.Open(folder.File("store.db.lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();
        var missing = Assert.Throws<DirectoryNotFoundException>(
            () => SqliteStore.Open(folder.File("none/store.db"), TimeProvider.System));
        Assert.Contains(folder.File("none"), missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        var store = SqliteStore.Open(":memory:", TimeProvider.System);
        await store.DisposeAsync();
        await store.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.PingAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.Bodies.GetAsync("b"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.Tables.GetAsync("t", "p", "r"));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await store.Queues.ReceiveAsync("queue", 1, TimeSpan.FromMinutes(1), TimeSpan.Zero));
    }
}
