using CsCheck;
using FuncStash.Admission;
using FuncStash.Azure;
using FuncStash.Deduplication;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Storage.Tests.Azure;

/// <summary>Two processes on one storage account: their gates and their deduplication.</summary>
public sealed class TwoProcessesTests(AzuriteAccount account)
{
    [Theory]
    [InlineData(GateKind.Queue)]
    [InlineData(GateKind.FlowKey)]
    public async Task Order_limits_and_counts_of_a_gate_hold_and_nothing_is_stuck(GateKind kind)
    {
        await GateStep.History(15).SampleAsync(async steps =>
        {
            var options = account.Options();
            using var one = new AzureStore(options);
            using var two = new AzureStore(options);
            await new GateHistory([one, two], null, kind, "g").PlayAsync(steps);
        }, iter: 4, threads: 1);
    }

    // The work queue is one in memory, because it has to keep the test's time.
    [Theory]
    [InlineData(GateKind.Queue)]
    [InlineData(GateKind.FlowKey)]
    public Task They_hold_when_commits_fail_and_operations_are_done_again(GateKind kind) =>
        Gen.Select(GateStep.History(25), Gen.Int).SampleAsync(async (steps, seed) =>
        {
            var clock = new TestClock();
            var options = account.Options();
            using var one = new AzureStore(options);
            using var two = new AzureStore(options);
            await using var queues = SqliteStore.Open(":memory:", clock);
            var faults = new RandomFaults(seed, percent: 10);
            IStore[] stores = [.. new[] { one, two }.Select(store => new WatchedStore(new PartwiseStore(new MixedStore(store, queues.Queues)))
            {
                Faults = faults.Next,
            })];
            await new GateHistory(stores, clock, kind, "g") { HasFaults = true }.PlayAsync(steps);
        }, iter: 8, threads: 1);

    [Fact]
    public async Task Of_many_publishes_with_one_id_one_makes_a_message()
    {
        var options = account.Options();
        using var one = new AzureStore(options);
        using var two = new AzureStore(options);
        await using var first = ServiceOn(one);
        await using var second = ServiceOn(two);
        var settings = new PublishSettings { DeduplicationId = "d" };
        // Somebody reserved the id and died.
        var reserved = first.GetRequiredService<MessageIds>().Next();
        await first.GetRequiredService<Deduplicator>().ReserveAsync("dead", reserved);

        var publishes = Enumerable.Range(0, 30).Select(i => (i % 2 == 0 ? first : second).GetRequiredService<Publisher>()
            .PublishAsync(new PublishRequest("http://127.0.0.1:9/x", i < 20 ? settings : settings with { DeduplicationId = "dead" }, [1])).AsTask());
        var results = (await Task.WhenAll(publishes)).Select(result => Assert.Single(result.Messages)).ToList();

        Assert.Single(results.Take(20), result => !result.Deduplicated);
        var id = Assert.Single(results.Take(20).Select(result => result.Id).Distinct());
        // Whoever stores the dead one's message is not told that it was there before.
        Assert.All(results.Skip(20), result => Assert.Equal(reserved, result.Id));
        Assert.Single(results.Skip(20), result => !result.Deduplicated);
        Assert.NotNull(await second.GetRequiredService<MessageStore>().GetAsync(id));
        Assert.NotNull(await second.GetRequiredService<MessageStore>().GetAsync(reserved));
        Assert.Equal(2, await one.Queues.CountAsync(WorkItem.Queue));
    }

    private static ServiceProvider ServiceOn(IStore store) => new ServiceCollection()
        .AddSingleton(store).AddSingleton<IDeliverySchedule, QueueSchedule>().AddLogging().AddFuncStash(new FuncStashOptions())
        .BuildServiceProvider();
}
