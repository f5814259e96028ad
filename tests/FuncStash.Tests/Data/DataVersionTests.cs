using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Tests.Data;

public sealed class DataVersionTests
{
    [Fact]
    public async Task An_empty_store_is_marked_and_opens_again()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);

        await DataVersion.EnsureAsync(store.Tables);
        await DataVersion.EnsureAsync(store.Tables);

        Assert.Equal(DataVersion.Current, await NumberAsync(store));
    }

    [Fact]
    public async Task Older_data_are_brought_forward()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        await MarkAsync(store, 1);

        await DataVersion.EnsureAsync(store.Tables);

        Assert.Equal(DataVersion.Current, await NumberAsync(store));
    }

    [Fact]
    public async Task Newer_data_are_refused_in_words_and_left_alone()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);
        await MarkAsync(store, DataVersion.Current + 1);

        var refusal = await Assert.ThrowsAsync<NewerDataException>(() => DataVersion.EnsureAsync(store.Tables));

        Assert.Contains($"version {DataVersion.Current + 1}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"1 to {DataVersion.Current}", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(DataVersion.Current + 1, await NumberAsync(store));
    }

    [Fact]
    public async Task Many_processes_may_mark_it_at_once()
    {
        await using var store = SqliteStore.Open(":memory:", TimeProvider.System);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => DataVersion.EnsureAsync(store.Tables))));

        Assert.Equal(DataVersion.Current, await NumberAsync(store));
    }

    private static async Task MarkAsync(SqliteStore store, long number)
    {
        var row = new Entity("data", "version", new Dictionary<string, object> { ["number"] = number });
        Assert.True((await store.Tables.CommitAsync(new Commit("upkeep", "data", [new Write.Insert(row)]))).Applied);
    }

    private static async Task<long?> NumberAsync(SqliteStore store) =>
        (await store.Tables.GetAsync("upkeep", "data", "version"))?.Number("number");
}
