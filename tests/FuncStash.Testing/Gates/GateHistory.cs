using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Testing;

/// <summary>
/// Plays a history at one gate, in two processes that share a store, and looks after each moment whether what must always
/// hold does: the order, the limits, exact counts, and that each candidate gets in once.
/// </summary>
/// <param name="stores">The store as each of the two processes sees it.</param>
/// <param name="clock">The test's clock; null when the store keeps real time.</param>
/// <param name="ahead">By how many milliseconds the clock is ahead by which the first process makes its messages.</param>
internal sealed partial class GateHistory(IStore[] stores, TestClock? clock, GateKind kind, string name, int ahead = 0)
{
    // By how many milliseconds the second process's clock is slow.
    private const int Skew = 20;

    private readonly Gates[] _processes =
    [
        new(stores[0], new FuncStashOptions(), clock ?? TimeProvider.System),
        new(stores[1], new FuncStashOptions(), clock?.Skewed(-Skew) ?? TimeProvider.System),
    ];

    private readonly Dictionary<string, Candidate> _line = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Candidate> _inside = new(StringComparer.Ordinal);
    private readonly HashSet<(string, int)> _admitted = [];
    private readonly Dictionary<string, Candidate> _ended = new(StringComparer.Ordinal);
    private readonly List<Candidate> _latest = [];
    private readonly List<List<Candidate>> _batches = [];
    private readonly HashSet<string> _retries = new(StringComparer.Ordinal);
    private readonly HashSet<Candidate> _askedTwice = [];
    private readonly Lock _lock = new();
    private GateState _before = GateState.New(kind, 0);
    private int _made;
    private int _worked;

    private long Now => (clock ?? TimeProvider.System).GetUtcNow().ToUnixTimeMilliseconds();

    public async Task PlayAsync(IReadOnlyList<GateStep> steps)
    {
        await ApplyAsync(_processes[0], new GateOperation.Change(static s => s with { Parallelism = 2 }, creates: true));
        _before = (await StateAsync())!;
        for (var i = 0; i < steps.Count;)
        {
            var together = new List<GateStep> { steps[i++] };
            while (i < steps.Count && steps[i].With)
                together.Add(steps[i++]);
            await MomentAsync(together);
        }
        await DrainAsync();
    }

    private async Task MomentAsync(List<GateStep> steps)
    {
        var before = await RowsAsync();
        var admittedBefore = _admitted.Count;
        _batches.Clear();
        _retries.Clear();
        var acts = steps.Select(Prepare).ToList();
        await Task.WhenAll(acts.Select(act => act()));
        await WorkAsync();

        var state = (await StateAsync())!;
        var after = await RowsAsync();
        Assert.Equal(_line.Values.Select(c => c.Message).Order(StringComparer.Ordinal), after.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(_line.Count, state.Waiting);
        Assert.Equal(_inside.Keys.Order(), state.Inside.Select(slot => slot.Message).Order());
        await AssertPlacesAsync(state, after);
        AssertOrder(before, after);
        _latest.Clear();
        if (!steps.Exists(step => step.Act is GateAct.Configure or GateAct.Pin or GateAct.Unpin))
        {
            Assert.True(state.Inside.Count <= Math.Max(state.Parallelism ?? int.MaxValue, _before.Inside.Count));
            Assert.True(state.RateCount <= Math.Max(state.Rate ?? int.MaxValue, _before.RateCount));
            var counted = state.PeriodStart == _before.PeriodStart ? state.RateCount - _before.RateCount : state.RateCount;
            // While one clock sees the period's end and the other does not yet, some were counted in the one before.
            if (clock is not null && (Now < _before.PeriodEnd || Now - Skew >= _before.PeriodEnd))
                Assert.Equal(_admitted.Count - admittedBefore, counted);
        }
        _before = state;
    }

    /// <summary>The places in the wait list by message.</summary>
    private async Task<IReadOnlyDictionary<string, string>> RowsAsync()
    {
        var rows = await stores[0].Tables.QueryAsync(
            GateRows.Table, GateRows.Partition(kind, name), RowRange.Prefix(GateRows.WaitPrefix), 10_000);
        return rows.Select(GateRows.CandidateFromRow).ToDictionary(c => c.Message, c => c.Order, StringComparer.Ordinal);
    }

    private async Task AssertPlacesAsync(GateState state, IReadOnlyDictionary<string, string> rows)
    {
        var moved = rows.Where(row => LineOrder.IsMoved(row.Value)).Select(row => (row.Key, row.Value)).Order();
        var places = await stores[0].Tables.QueryAsync(
            GateRows.Table, GateRows.Partition(kind, name), RowRange.Prefix(GateRows.PlacePrefix), 10_000);
        Assert.Equal(moved, places.Select(row => (row.RowKey[GateRows.PlacePrefix.Length..], row.Text("Order")!)).Order());
        Assert.Equal(places.Count, state.Moved);
        Assert.All(rows.Values, place => Assert.True(string.CompareOrdinal(place, state.Last) <= 0, $"{place} is behind {state.Last}"));
        Assert.True(state.Waiting > 0 || state.Last is null);
    }

    private void AssertOrder(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after)
    {
        // Who stood in line before and still does, does so at the same place, and is behind all that got in.
        var stayed = after.Where(row => before.ContainsKey(row.Key)).ToList();
        Assert.All(stayed, row => Assert.Equal(before[row.Key], row.Value));
        var first = stayed.Select(row => row.Value).Order(StringComparer.Ordinal).FirstOrDefault();
        Assert.All(_latest, c => Assert.True(
            first is null || string.CompareOrdinal(before.GetValueOrDefault(c.Message) ?? (_retries.Contains(c.Message) ? c.Order : "~"), first) < 0,
            $"{c} overtook {first}"));
        // Who came is behind all of them, whatever the clocks say, and those that came together stand as they were given.
        var last = stayed.Select(row => row.Value).Order(StringComparer.Ordinal).LastOrDefault();
        foreach (var batch in _batches)
        {
            var places = batch.Select(c => after.GetValueOrDefault(c.Message)).SkipWhile(place => place is null).ToList();
            Assert.DoesNotContain(null, places);
            Assert.Equal(places.Order(StringComparer.Ordinal), places);
            Assert.All(places, place => Assert.True(last is null || string.CompareOrdinal(place, last) > 0, $"{place} is before {last}"));
        }
    }

    /// <summary>Whether operations may fail.</summary>
    public bool HasFaults { get; init; }

    private void Admit(Candidate candidate)
    {
        lock (_lock)
        {
            Assert.True(_admitted.Add((candidate.Message, candidate.Attempt)), $"{candidate} was admitted twice");
            Assert.True(_line.Remove(candidate.Order), $"{candidate} was admitted and not in line");
            _inside.Add(candidate.Message, candidate);
            _latest.Add(candidate);
        }
    }

    /// <summary>Does what the work queue asks for, as workers would, until it is empty.</summary>
    private async Task WorkAsync()
    {
        for (var round = 0; await stores[0].Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero) is { Count: > 0 } leases; round++)
        {
            Assert.True(round < 10_000, "there is always more to do");
            foreach (var lease in leases)
            {
                await stores[0].Queues.DeleteAsync(lease);
                var gates = _processes[_worked++ % 2];
                if (WorkItem.Parse(lease.Text) is (WorkItem.WakeFlowKey or WorkItem.WakeQueue) and var wake)
                {
                    await WakeAsync(gates, wake);
                    continue;
                }
                var ticket = Assert.IsType<WorkItem.Deliver>(WorkItem.Parse(lease.Text)).Ticket;
                if (_ended.TryGetValue(ticket.Id.Text, out var ended))
                {
                    // Withdrawn after it was admitted: it was counted, and has left.
                    Assert.True(_admitted.Add((ended.Message, ended.Attempt)), $"{ended} was admitted twice");
                    continue;
                }
                // Got in line unseen, was let in and sent on its way; then the worker that asked again found it inside.
                if (_inside.TryGetValue(ticket.Id.Text, out var candidate))
                    Assert.Contains(candidate, _askedTwice);
                else
                    Admit(candidate = _line.Values.Single(c => c.Message == ticket.Id.Text));
                Assert.True(await ApplyAsync(gates, _ => new GateOperation.Join(candidate, announce: false, isNew: false, limits: null)));
            }
        }
    }

    private static async Task WakeAsync(Gates gates, WorkItem item)
    {
        while (true)
        {
            try
            {
                if (item is WorkItem.WakeQueue queue)
                    await gates.WakeAsync(GateKind.Queue, queue.Name, queue.At);
                else if (item is WorkItem.WakeFlowKey key)
                    await gates.WakeAsync(GateKind.FlowKey, key.Key, key.At);
                return;
            }
            catch (StoreFaultException)
            {
            }
        }
    }

    private async Task DrainAsync()
    {
        await ChangeAsync(_processes[0], s => s with { Paused = false });
        for (var round = 0; _line.Count + _inside.Count > 0; round++)
        {
            Assert.True(round < 20_000, $"{_line.Count} wait and {_inside.Count} are inside: {await StateAsync()}");
            await WorkAsync();
            var leavers = _inside.Values.ToList();
            _inside.Clear();
            await Task.WhenAll(leavers.Select((c, i) => LeaveAsync(_processes[i % 2], c, twice: false)));
            if (leavers.Count > 0)
                continue;
            if (clock is not null)
                clock.Advance(500);
            else
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
        await WorkAsync();
        var state = (await StateAsync())!;
        Assert.Equal((0, 0), (state.Waiting, state.Inside.Count));
    }

    private ValueTask<GateState?> StateAsync() => new Gates(stores[0], new FuncStashOptions(), TimeProvider.System).GetAsync(kind, name);
}
