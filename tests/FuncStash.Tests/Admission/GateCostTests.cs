using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Tests.Admission;

/// <summary>An admission costs the same however many keys there are and however many wait.</summary>
public sealed class GateCostTests : IAsyncDisposable
{
    private readonly TestClock _clock = new();
    private readonly SqliteStore _own;
    private readonly WatchedStore _store;
    private readonly Gates _gates;

    public GateCostTests()
    {
        _own = SqliteStore.Open(":memory:", _clock);
        _store = new WatchedStore(_own);
        _gates = new Gates(_store, new FuncStashOptions(), _clock);
    }

    public ValueTask DisposeAsync() => _own.DisposeAsync();

    private Candidate Make(int number)
    {
        var id = MessageId.Create(_clock.Now, number & 0xFFFF, (ulong)number);
        return new Candidate(id.Text, 0, Candidate.OrderOf(id, _clock.Now + (number >> 16)), 0);
    }

    private GateOperation.Join Join(Candidate candidate) => new(
        candidate, announce: true, isNew: true, state => GateRules.Configure(state, null, 1, 1, _clock.Now));

    private static GateOperation.Change Leave(Candidate candidate) => new(
        state => GateRules.Pass(state, candidate.Message, 0, candidate.Message, []), creates: false);

    [Fact]
    public async Task With_10_000_keys()
    {
        const int Keys = 10_000;
        for (var i = 0; i < Keys; i++)
            await _gates.RunAsync(GateKind.FlowKey, $"key{i}", Join(Make(i)));
        // Looked up, listed and written; no call knows of other keys.
        Assert.Equal(3 * Keys, _store.Calls);

        var before = _store.Calls;
        for (var i = 0; i < Keys; i += 100)
            await _gates.RunAsync(GateKind.FlowKey, $"key{i}", Leave(Make(i)));
        Assert.Equal(Keys / 100, _store.Calls - before);
    }

    [Fact]
    public async Task With_100_000_waiting()
    {
        const int Waiting = 100_000;
        await _gates.RunAsync(GateKind.FlowKey, "hot", Join(Make(0)));
        var partition = GateRows.Partition(GateKind.FlowKey, "hot");
        foreach (var chunk in Enumerable.Range(1, Waiting).Chunk(100))
        {
            await _own.Tables.CommitAsync(new Commit(GateRows.Table, partition,
                [.. chunk.Select(i => new Write.Insert(GateRows.ToRow(partition, Make(i))))]));
        }
        await _gates.ChangeAsync(GateKind.FlowKey, "hot", state => state with { Waiting = Waiting });

        var (calls, rows) = (_store.Calls, _store.Rows);
        for (var i = 0; i < 500; i++)
            await _gates.RunAsync(GateKind.FlowKey, "hot", Leave(Make(i)));

        // The head of the line, and the commit.
        Assert.Equal(2 * 500, _store.Calls - calls);
        Assert.Equal(500, _store.Rows - rows);
        var state = await _gates.GetAsync(GateKind.FlowKey, "hot");
        Assert.Equal(Waiting - 500, state!.Waiting);
        Assert.Equal(Make(500).Message, Assert.Single(state.Inside).Message);
    }

    [Fact]
    public async Task Many_at_once_share_commits()
    {
        await _gates.ChangeAsync(GateKind.FlowKey, "hot", state => state with { Parallelism = 1 });
        var before = _store.Commits;

        await Task.WhenAll(Enumerable.Range(0, 4000).Select(i => _gates.RunAsync(GateKind.FlowKey, "hot", Join(Make(i)))));
        Assert.InRange(_store.Commits - before, 100, 200);

        // No limit any more: fifty go with each commit.
        before = _store.Commits;
        await _gates.ChangeAsync(GateKind.FlowKey, "hot", state => state with { Parallelism = null });
        await WaitAsync(async () => (await _gates.GetAsync(GateKind.FlowKey, "hot"))!.Inside.Count == GateState.MaxInside);
        Assert.InRange(_store.Commits - before, GateState.MaxInside / 50, (GateState.MaxInside / 50) + 3);
        Assert.Equal(4000 - GateState.MaxInside, (await _gates.GetAsync(GateKind.FlowKey, "hot"))!.Waiting);
    }

    private static async Task WaitAsync(Func<Task<bool>> there)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await there())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(20), "waited in vain");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
