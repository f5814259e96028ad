using CsCheck;
using FuncStash.Admission;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Tests.Admission;

/// <summary>Random histories at a gate that two processes share.</summary>
public sealed class GateHistoryTests
{
    // Clocks of publishers are mostly right, some by a few milliseconds, and one may be an hour off.
    private static readonly Gen<int> s_ahead = Gen.OneOf(
        Gen.Const(0), Gen.Int[-50, 50], Gen.Int[-60_000, 60_000], Gen.Const(3_600_000), Gen.Const(-3_600_000));

    [Theory]
    [InlineData(GateKind.Queue)]
    [InlineData(GateKind.FlowKey)]
    public Task Order_limits_and_counts_hold_and_nothing_is_stuck(GateKind kind) => PlayAsync(kind, faults: 0);

    [Theory]
    [InlineData(GateKind.Queue)]
    [InlineData(GateKind.FlowKey)]
    public Task They_hold_when_commits_fail_and_operations_are_done_again(GateKind kind) => PlayAsync(kind, faults: 10);

    private static Task PlayAsync(GateKind kind, int faults) =>
        Gen.Select(GateStep.History(40), s_ahead, Gen.Int).SampleAsync(async (steps, ahead, seed) =>
        {
            var clock = new TestClock();
            await using var store = SqliteStore.Open(":memory:", clock);
            var random = new RandomFaults(seed, faults);
            IStore[] stores = [new WatchedStore(store) { Faults = random.Next }, new WatchedStore(store) { Faults = random.Next }];
            await new GateHistory(stores, clock, kind, "g", ahead) { HasFaults = faults > 0 }.PlayAsync(steps);
        }, iter: 150, threads: 1);
}
