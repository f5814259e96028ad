using FuncStash.Runs;
using FuncStash.Sqlite;

namespace FuncStash.Tests.Workflows;

/// <summary>A wait that is submitted twice at once for an event that came before it (protocol#waits-and-events).</summary>
public sealed class TakenEventTests
{
    [Fact]
    public async Task Whoever_comes_second_is_answered_as_the_first()
    {
        await using var inner = SqliteStore.Open(":memory:", TimeProvider.System);
        var store = new WatchedStore(inner);
        await using var service = new TestService(store: store);
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_a", "p");
        await service.CallAsync("POST", "/v2/notify/wfr_a/paid", "e");
        var key = (await service.Get<RunIndex>().FindAsync("wfr_a"))!.Value;
        var row = RunRows.RunKey(RunRows.Live, key);
        var before = await inner.Tables.GetAsync(RunRows.Table, RunRows.Partition(key), row, only: null);
        var first = await flow.WaitAsync("wfr_a", 1, "paid");
        // Another process has read the run before the event was taken.
        var reads = 0;
        store.Stale = read => read == row && reads++ < 2 ? before : null;

        var second = await flow.WaitAsync("wfr_a", 1, "paid");

        Assert.True(reads > 2);
        Assert.Equal((first.Status, first.Text), (second.Status, second.Text));
        Assert.Equal("[]", (await service.CallAsync("GET", "/v2/waiters/paid")).Text);
    }
}
