using CsCheck;
using FuncStash.Admission;
using FuncStash.Sqlite;
using FuncStash.Testing;

namespace FuncStash.Tests.Admission;

/// <summary>Random histories at a gate that two processes share.</summary>
public sealed class GateHistoryTests
{
    [Theory]
    [InlineData(GateKind.Queue)]
    [InlineData(GateKind.FlowKey)]
    public Task Order_limits_and_counts_hold_and_nothing_is_stuck(GateKind kind) => PlayAsync(kind, faults: 0);

    [Theory]
    [InlineData(GateKind.Queue)]
    [InlineData(GateKind.FlowKey)]
    public Task They_hold_when_commits_fail_and_operations_are_done_again(GateKind kind) => PlayAsync(kind, faults: 10);

    private static Task PlayAsync(GateKind kind, int faults) =>
        Gen.Select(GateStep.History(40), Gen.Int).SampleAsync(async (steps, seed) =>
        {
            var clock = new TestClock();
            await using var store = SqliteStore.Open(":memory:", clock);
            var random = new Random(seed);
            var watched = new[] { new WatchedStore(store), new WatchedStore(store) };
            foreach (var process in watched)
                process.Faults = _ => FaultOf(random, faults);
            await new GateHistory(watched, clock, kind, "g").PlayAsync(steps);
        }, iter: 60, threads: 1);

    private static Fault FaultOf(Random random, int percent)
    {
        lock (random)
        {
            return random.Next(100) >= percent ? Fault.None : random.Next(2) == 0 ? Fault.Before : Fault.After;
        }
    }
}
