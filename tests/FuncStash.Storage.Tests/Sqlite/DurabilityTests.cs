using System.Text;
using FuncStash.Sqlite;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Storage.Tests.Sqlite;

public sealed class DurabilityTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    // Before 3.51.3 two moves of the log beside a commit could take for moved what was not: sqlite.org/wal.html#walresetbug.
    [Fact]
    public void SQLite_is_one_that_a_second_connection_may_move_the_log_of()
    {
        using var folder = new TemporaryFolder();
        using var connection = Schema.OpenWriter(folder.File("store.db"));
        var read = connection.Prepare("SELECT sqlite_version()");
        Assert.True(read.Step());

        Assert.True(Version.Parse(Encoding.UTF8.GetString(read.Bytes(0))) >= new Version(3, 51, 3));
        read.Reset();
    }

    [Theory]
    [InlineData("fullfsync")]
    [InlineData("checkpoint_fullfsync")]
    public void On_macOS_a_sync_reaches_the_disk_itself(string pragma)
    {
        using var folder = new TemporaryFolder();
        using var writer = Schema.OpenWriter(folder.File("store.db"));
        using var keeper = Schema.OpenKeeper(folder.File("store.db"));

        foreach (var connection in (Connection[])[writer, keeper])
        {
            var read = connection.Prepare($"PRAGMA {pragma}");
            Assert.True(read.Step());
            Assert.Equal(1, read.Number(0));
            read.Reset();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(400)]
    [InlineData(5_000)] // beyond the first checkpoint
    public async Task A_killed_process_loses_no_acknowledged_commit_and_leaves_no_half_one(int steps)
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        var told = await WorkAndKillAsync(path, steps);

        Assert.Equal("ok", CheckIntegrity(path));
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        var rows = await store.Tables.QueryAsync(
            CrashingProcess.Table, "p", RowRange.Prefix(""), int.MaxValue, only: [], Cancelled);
        var found = rows.ToLookup(r => r.RowKey[..1], r => r.RowKey[2..]);
        var (stored, settled) = (found["a"].ToHashSet(), found["c"].ToHashSet());
        var waiting = new HashSet<string>();
        while (await store.Queues.ReceiveAsync(
            CrashingProcess.Queue, 500, TimeSpan.FromHours(1), TimeSpan.Zero, Cancelled) is { Count: > 0 } leases)
            Assert.All(leases, l => Assert.True(waiting.Add(l.Text), "received twice"));

        Assert.Subset(stored, told.Where(t => t[0] == '+').Select(t => t[1..]).ToHashSet());
        Assert.Subset(settled, told.Where(t => t[0] == '-').Select(t => t[1..]).ToHashSet());
        Assert.Equal(stored.Order(), found["b"].Order());
        Assert.Equal(stored.Except(settled).Order(), waiting.Order());
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await using (var store = SqliteStore.Open(path, TimeProvider.System))
        {
            await store.Bodies.PutAsync("body", new byte[100_000], Cancelled);
            await store.Tables.CommitAsync(new Commit("t", "p", [Insert("r")]) { Sends = [new Send("queue", "m")] }, Cancelled);
        }

        Assert.Equal(["store.db", "store.db.lock"], Directory.GetFiles(folder.File("")).Select(Path.GetFileName).Order());

        await using var again = SqliteStore.Open(path, TimeProvider.System);
        Assert.Equal(100_000, (await again.Bodies.GetAsync("body", Cancelled))!.Length);
        Assert.NotNull(await again.Tables.GetAsync("t", "p", "r", Cancelled));
        Assert.Equal(1, await again.Queues.CountAsync("queue", Cancelled));
    }

    [Fact]
    public async Task The_name_of_a_new_log_is_synced_before_a_commit_is_acknowledged()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("store.db");
        await SqliteStore.Open(path, TimeProvider.System).DisposeAsync();
        Assert.False(File.Exists(path + "-wal"));

        SystemCalls.Watch();
        await using var store = SqliteStore.Open(path, TimeProvider.System);
        await store.Tables.CommitAsync(new Commit("t", "p", [Insert("r")]), Cancelled);

        Assert.Contains(path + "-wal", SystemCalls.DirectorySyncs);
    }

    [Fact]
    public async Task What_a_killed_process_left_in_its_log_is_in_the_file_once_a_store_is_open()
    {
        using var folder = new TemporaryFolder();
        var (path, killed) = (folder.File("store.db"), folder.File("killed.db"));
        await using (var store = SqliteStore.Open(path, TimeProvider.System))
        {
            await store.Tables.CommitAsync(new Commit("t", "p", [Insert("r")]), Cancelled);
            File.Copy(path, killed);
            File.Copy(path + "-wal", killed + "-wal");
        }

        await using var open = SqliteStore.Open(killed, TimeProvider.System);
        Assert.Equal(0, new FileInfo(killed + "-wal").Length);
        Assert.NotNull(await open.Tables.GetAsync("t", "p", "r", Cancelled));
    }

    [Fact]
    public async Task A_commit_larger_than_the_page_cache_is_whole()
    {
        using var folder = new TemporaryFolder();
        var content = new byte[40_000_000];
        new Random(1).NextBytes(content);
        await using (var store = SqliteStore.Open(folder.File("store.db"), TimeProvider.System))
        {
            await store.Bodies.PutAsync("body", new byte[40_000_000], Cancelled);
            await store.Bodies.PutAsync("body", content, Cancelled);
            var read = await store.Bodies.GetAsync("body", Cancelled);
            Assert.True(content.AsSpan().SequenceEqual(read));
        }

        Assert.Equal("ok", CheckIntegrity(folder.File("store.db")));
        await using var again = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
        var kept = await again.Bodies.GetAsync("body", Cancelled);
        Assert.True(content.AsSpan().SequenceEqual(kept));
    }

    [Fact]
    public async Task No_version_is_given_out_twice_over_restarts()
    {
        using var folder = new TemporaryFolder();
        var versions = new List<long>();
        for (var run = 0; run < 3; run++)
        {
            await using var store = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
            for (var i = 0; i < 3; i++)
            {
                var result = await store.Tables.CommitAsync(new Commit("t", "p", [Insert("r")]), Cancelled);
                versions.Add(long.Parse(result.ETags[0], null));
                await store.Tables.CommitAsync(new Commit("t", "p", [new Write.Delete("r", result.ETags[0])]), Cancelled);
            }
        }

        Assert.Equal(versions.Order().Distinct(), versions);
    }

    [Fact]
    public async Task Disposal_finishes_what_was_begun()
    {
        using var folder = new TemporaryFolder();
        var store = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
        var commits = Enumerable.Range(0, 2_000)
            .Select(i => store.Tables.CommitAsync(new Commit("t", "p", [Insert($"r{i}")]), Cancelled).AsTask()).ToArray();
        await store.DisposeAsync();

        Assert.All(await Task.WhenAll(commits), c => Assert.True(c.Applied));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await store.Tables.CommitAsync(new Commit("t", "p", [Insert("late")]), Cancelled));
        await using var again = SqliteStore.Open(folder.File("store.db"), TimeProvider.System);
        Assert.Equal(2_000, (await again.Tables.QueryAsync(
            "t", "p", RowRange.Prefix("r"), 3_000, only: [], Cancelled)).Count);
    }

    private static async Task<List<string>> WorkAndKillAsync(string path, int steps)
    {
        using var process = CrashingProcess.Start(path);
        var told = new List<string>();
        try
        {
            while (told.Count < steps)
                told.Add(await process.StandardOutput.ReadLineAsync(Cancelled) ?? throw new EndOfStreamException());
            var inUse = Assert.Throws<StoreInUseException>(() => SqliteStore.Open(path, TimeProvider.System));
            Assert.Contains(path, inUse.Message, StringComparison.Ordinal);
        }
        finally
        {
            process.Kill(); // SIGKILL
        }

        var rest = (await process.StandardOutput.ReadToEndAsync(Cancelled)).Split('\n');
        told.AddRange(rest[..^1]); // the last line is empty, or cut off by the kill
        await process.WaitForExitAsync(Cancelled);
        return told;
    }

    private static string CheckIntegrity(string path)
    {
        using var connection = Schema.OpenWriter(path);
        var check = connection.Prepare("PRAGMA integrity_check");
        check.Step();
        return Encoding.UTF8.GetString(check.Bytes(0));
    }

    private static Write.Insert Insert(string row) => new(new Entity("p", row, new Dictionary<string, object>()));
}
