using FuncStash.Messages;
using FuncStash.Sqlite;
using FuncStash.Storage.Tests.Sqlite;
using FuncStash.Upkeep;

namespace FuncStash.Storage.Tests.Upkeep;

/// <summary>What has outlived its retention goes at the rate at which it came, and a file gives its space back.</summary>
public sealed class PurgeRateTests
{
    [Fact]
    public async Task A_hundred_thousand_rows_go_in_one_turn_and_the_file_is_small_again()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await FillAndPurgeAsync(path, messages: 50_000, turns: 1);

        // The file is cut when the log is moved into it, at the latest when the store is closed.
        Assert.InRange(new FileInfo(path).Length, 1, 8 * 1024 * 1024);
    }

    [Fact]
    public async Task A_file_of_before_gives_its_space_back_once_it_was_rewritten()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        SqliteFiles.Run(path, "PRAGMA auto_vacuum = NONE; PRAGMA journal_mode = WAL; CREATE TABLE t(x); DROP TABLE t");
        await FillAndPurgeAsync(path, messages: 20_000, turns: 1);
        var before = new FileInfo(path).Length;
        Assert.InRange(before, 10 * 1024 * 1024, long.MaxValue);

        // As docs/operations.md says.
        SqliteFiles.Run(path, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
        Assert.InRange(new FileInfo(path).Length, 1, before / 2);
        await FillAndPurgeAsync(path, messages: 20_000, turns: 1);

        Assert.InRange(new FileInfo(path).Length, 1, 8 * 1024 * 1024);
    }

    [Fact]
    public async Task A_step_gives_back_little_so_that_others_write_in_between()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        var names = Enumerable.Range(0, 32).Select(i => BodyName.New($"msg_{i}")).ToList();
        foreach (var name in names)
            await store.Bodies.PutAsync(name, new byte[1024 * 1024]);
        foreach (var name in names)
            await store.Bodies.DeleteAsync(name);
        var pages = SqliteFiles.Number(path, "PRAGMA page_count");

        Assert.True(await store.GiveBackAsync());

        // And a page that says where others are.
        Assert.InRange(pages - SqliteFiles.Number(path, "PRAGMA page_count"), 1, 257);
        var steps = 1;
        while (await store.GiveBackAsync())
            Assert.True(++steps < 1_000);
        // 4 MiB stay, and less than a step.
        Assert.InRange(SqliteFiles.Number(path, "PRAGMA freelist_count"), 1_024, 1_024 + 511);
    }

    private static async Task FillAndPurgeAsync(string path, int messages, int turns)
    {
        var clock = new TestClock();
        await using var store = SqliteStore.Open(path, clock);
        await using var service = new Service(store: store);
        await ManyRows.EndedAsync(store, service.Time, messages);
        Assert.Equal(turns, await PurgeAsync(service));
    }

    // How many turns it takes until nothing is left.
    private static async Task<int> PurgeAsync(Service service)
    {
        service.Time.Advance(TimeSpan.FromDays(9));
        var turns = 1;
        while ((await service.Get<Purge>().RunAsync()).More)
            Assert.True(++turns < 100);
        Assert.Empty(await Days.ListAsync(service.Store.Tables, default));
        return turns;
    }
}
