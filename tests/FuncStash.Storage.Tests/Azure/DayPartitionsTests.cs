using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using FuncStash.Azure;
using FuncStash.Messages;
using FuncStash.Publishing;

namespace FuncStash.Storage.Tests.Azure;

/// <summary>In which partition of the account the rows of a day lie: that of its shard first.</summary>
public sealed class DayPartitionsTests(AzuriteAccount account)
{
    private const string Table = "messages";

    // 2026-03-01
    private static readonly DateTimeOffset s_today = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Of_a_new_account_the_shard_leads_and_the_service_sees_the_day()
    {
        var options = Options();
        using var store = new AzureStore(options);

        await WriteAsync(store, "20260301-5", "a", "b");

        Assert.Equal(["5-20260301"], await KeysAsync(options));
        var row = await store.Tables.GetAsync(Table, "20260301-5", "a");
        Assert.Equal("20260301-5", row!.PartitionKey);
        var rows = await store.Tables.QueryAsync(Table, "20260301-5", RowRange.Prefix(""), 10);
        Assert.Equal([("20260301-5", "a"), ("20260301-5", "b")], rows.Select(each => (each.PartitionKey, each.RowKey)));
        var changed = await store.Tables.CommitAsync(new Commit(Table, "20260301-5", [new Write.Replace(row, row.ETag!), new Write.Delete("b", null)]));
        Assert.True(changed.Applied);
        Assert.True((await store.Tables.CommitAsync(new Commit(Table, "20260301-5", [new Write.Delete("a", changed.ETags[0])]))).Applied);
        Assert.Empty(await KeysAsync(options));
    }

    [Fact]
    public async Task What_is_not_a_day_and_a_shard_stays_as_it_is()
    {
        var options = Options();
        using var store = new AzureStore(options);
        string[] others = ["2026030-5", "20260301-x", "20260301_5", "20260301-55", "x0260301-5", "q-20260301-5"];
        foreach (var partition in others)
            await WriteAsync(store, partition, "a");

        Assert.Equal(others.Order(StringComparer.Ordinal), (await KeysAsync(options)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task So_it_does_for_the_service()
    {
        var options = Options();
        using var store = new AzureStore(options);
        await DataVersion.EnsureAsync(store.Tables);
        await using var service = new Service(store: store);

        var published = await service.Get<Publisher>().PublishAsync(Service.Request("http://127.0.0.1:9/x", "1"));

        Assert.Matches("^[0-7]-20260101$", Assert.Single(await KeysAsync(options)));
        Assert.NotNull(await service.Get<MessageStore>().GetAsync(Assert.Single(published.Messages).Id));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3L)]
    public async Task An_account_of_before_keeps_its_days_and_those_that_begin_within_two(long? version)
    {
        var options = Options();
        using var store = new AzureStore(options);
        await BeforeAsync(options, version, "20260301");
        await RawAsync(options, "20260301-5", "old");

        Assert.NotNull(await store.Tables.GetAsync(Table, "20260301-5", "old"));
        string[] days = ["20260301", "20260302", "20260303", "20260304", "20260305"];
        foreach (var day in days)
            await WriteAsync(store, day + "-5", "new");
        Assert.Equal(["20260301-5", "20260302-5", "20260303-5", "5-20260304", "5-20260305"], await KeysAsync(options));

        // Whenever it is opened again.
        using var later = new AzureStore(options with { Time = Days(100) });
        foreach (var day in days)
            Assert.NotNull(await later.Tables.GetAsync(Table, day + "-5", "new"));
    }

    [Fact]
    public async Task One_that_was_idle_is_no_new_one()
    {
        var options = Options();
        using var store = new AzureStore(options);
        await BeforeAsync(options, version: 3);
        await WriteAsync(store, "20260301-5", "new");
        Assert.Equal(["20260301-5"], await KeysAsync(options));
    }

    [Fact]
    public async Task No_day_that_is_there_is_moved_whatever_the_clocks_say()
    {
        var options = Options() with { Time = Days(-10) };
        using var store = new AzureStore(options);
        await BeforeAsync(options, version: 3, "20260228", "20260301");
        await RawAsync(options, "20260301-5", "old");
        Assert.NotNull(await store.Tables.GetAsync(Table, "20260301-5", "old"));
        await WriteAsync(store, "20260302-5", "new");
        Assert.Equal(["20260301-5", "5-20260302"], await KeysAsync(options));
    }

    [Fact]
    public async Task A_program_that_does_not_know_of_it_may_not_open_the_account()
    {
        var options = Options();
        using var store = new AzureStore(options);
        await WriteAsync(store, "20260301-5", "a");
        Assert.Equal(DataVersion.Current, (await store.Tables.GetAsync("upkeep", "data", "version"))?.Number("number"));
    }

    [Fact]
    public async Task All_processes_agree_whoever_came_first()
    {
        var options = Options();
        var stores = Enumerable.Range(0, 8).Select(i => new AzureStore(options with { Time = Days(i) })).ToList();
        await BeforeAsync(options, version: 3, "20260301");

        await Task.WhenAll(stores.Select((store, i) => WriteAsync(store, "20260305-1", $"{i}")));

        Assert.Single(await KeysAsync(options));
        stores.ForEach(store => store.Dispose());
    }

    [Fact]
    public async Task A_store_that_was_away_at_the_first_use_is_asked_again()
    {
        var options = Options();
        var service = new Away();
        using var store = new AzureStore(options with { OperationPolicy = service });
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Tables.GetAsync(Table, "20260301-5", "a").AsTask());
        service.IsBack = true;
        await WriteAsync(store, "20260301-5", "a");
        Assert.Equal(["5-20260301"], await KeysAsync(options));
    }

    private AzureStoreOptions Options() => account.Options() with { Time = Days(0) };

    private static TestClock Days(int later)
    {
        var clock = new TestClock();
        clock.Advance((long)(s_today.AddDays(later) - clock.GetUtcNow()).TotalMilliseconds);
        return clock;
    }

    // An account as a program of before left it.
    private static async Task BeforeAsync(AzureStoreOptions options, long? version, params string[] days)
    {
        using var store = new AzureStore(options);
        foreach (var day in days)
            await store.Tables.CommitAsync(new Commit("days", "days", [new Write.Insert(Row("days", day))]));
        if (version is { } number)
        {
            var row = new Entity("data", "version", new Dictionary<string, object> { ["number"] = number });
            await store.Tables.CommitAsync(new Commit("upkeep", "data", [new Write.Insert(row)]));
        }
    }

    private static Entity Row(string partition, string key) => new(partition, key, new Dictionary<string, object>());

    private static async Task WriteAsync(AzureStore store, string partition, params string[] keys) => Assert.True((await store.Tables.CommitAsync(
        new Commit(Table, partition, [.. keys.Select(key => new Write.Insert(Row(partition, key)))]))).Applied);

    private static TableClient Client(AzureStoreOptions options)
    {
        var client = new TableClientOptions(TableClientOptions.ServiceVersion.V2019_02_02);
        return new TableClient(options.ConnectionString, options.TableName(Table), client);
    }

    // What a program of before wrote.
    private static async Task RawAsync(AzureStoreOptions options, string partition, string key)
    {
        await Client(options).CreateIfNotExistsAsync();
        await Client(options).AddEntityAsync(new TableEntity(partition, key));
    }

    private static async Task<List<string>> KeysAsync(AzureStoreOptions options) =>
        await Client(options).QueryAsync<TableEntity>().Select(row => row.PartitionKey).Distinct().ToListAsync();

    // What it throws is not tried again.
    private sealed class Away : HttpPipelinePolicy
    {
        public bool IsBack { get; set; }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();

        public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
            IsBack ? ProcessNextAsync(message, pipeline) : throw new InvalidOperationException("away");
    }
}
