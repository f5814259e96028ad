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
internal sealed class GateHistory(IStore[] stores, TestClock? clock, GateKind kind, string name, int ahead = 0)
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

    // Whom it concerns is settled before anything happens, so that steps at the same time concern different messages.
    private Func<Task> Prepare(GateStep step)
    {
        var (gates, number) = (_processes[step.Process], step.Number);
        switch (step.Act)
        {
            case GateAct.Join or GateAct.JoinMany:
                var news = Enumerable.Range(0, step.Act == GateAct.Join ? 1 : number % (clock is null ? 12 : 60)).Select(_ => Make(step.Process)).ToList();
                // One whose operation failed comes again, after others.
                if (!HasFaults)
                    _batches.Add(news);
                return () => Task.WhenAll(news.Select(c => JoinAsync(gates, c)));
            case GateAct.Leave or GateAct.LeaveTwice when Take(_inside, number) is { } leaver:
                _ended.Add(leaver.Message, leaver);
                return () => LeaveAsync(gates, leaver, twice: step.Act == GateAct.LeaveTwice);
            case GateAct.Retry when kind == GateKind.FlowKey && Take(_inside, number) is { } again:
                return () => RetryAsync(gates, again);
            case GateAct.Withdraw when Take(number % 3 == 0 ? _inside : _line, number) is { } withdrawn:
                _ended.Add(withdrawn.Message, withdrawn);
                return () => WithdrawAsync(gates, withdrawn);
            case GateAct.Configure or GateAct.Pin:
                int? rate = number % 3 == 0 ? null : 1 + (number % 7);
                int? parallelism = rate is null || number % 2 == 0 ? 1 + (number % 5) : null;
                if (step.Act == GateAct.Configure)
                    return () => ChangeAsync(gates, s => GateRules.Configure(s, rate, parallelism, clock is null ? 1 : 1 + (number % 3)));
                return () => ChangeAsync(gates, s => GateRules.ResetRate(s, Now) with { Parallelism = parallelism, PinnedParallelism = true });
            case GateAct.Unpin:
                return () => ChangeAsync(gates, s => s with { PinnedParallelism = false });
            case GateAct.Pause or GateAct.Resume:
                return () => ChangeAsync(gates, s => s with { Paused = step.Act == GateAct.Pause });
            case GateAct.Advance when clock is not null:
                clock.Advance(number % 2500);
                break;
        }
        return () => Task.CompletedTask;
    }

    private static Candidate? Take(Dictionary<string, Candidate> among, int number)
    {
        if (among.Count == 0)
            return null;
        var (key, taken) = among.OrderBy(entry => entry.Key, StringComparer.Ordinal).ElementAt(number % among.Count);
        among.Remove(key);
        return taken;
    }

    private Candidate Make(int process)
    {
        var at = Now + (process == 0 ? ahead : 0);
        return Of(MessageId.Create(at, _made++, (ulong)_made), 0, at);
    }

    /// <summary>Whether operations may fail.</summary>
    public bool HasFaults { get; init; }

    private static Candidate Of(MessageId id, int attempt, long dueAt) => new(id.Text, attempt, Candidate.OrderOf(id, dueAt), 0);

    private async Task JoinAsync(Gates gates, Candidate candidate)
    {
        lock (_lock)
            _line.Add(candidate.Order, candidate);
        await ApplyAsync(gates, isNew => new GateOperation.Join(candidate, announce: true, isNew, limits: null) { Last = true });
    }

    private async Task LeaveAsync(Gates gates, Candidate leaver, bool twice)
    {
        for (var i = 0; i < (twice ? 2 : 1); i++)
            await ApplyAsync(_processes[i == 0 ? Array.IndexOf(_processes, gates) : 0], Pass(leaver));
    }

    private static GateOperation.Change Pass(Candidate leaver) => new GateOperation.Change(
        state => GateRules.Pass(state, leaver.Message, leaver.Attempt, leaver.Message, []), creates: false);

    private async Task RetryAsync(Gates gates, Candidate before)
    {
        await ApplyAsync(gates, Pass(before));
        var again = Of(MessageId.Parse(before.Message), before.Attempt + 1, Now);
        lock (_lock)
        {
            _line.Add(again.Order, again);
            _retries.Add(again.Message);
        }
        if (await ApplyAsync(gates, AskAgain))
            Admit(again);

        GateOperation AskAgain(bool isFirst)
        {
            if (!isFirst)
            {
                lock (_lock)
                    _askedTwice.Add(again);
            }
            return new GateOperation.Join(again, announce: false, isNew: false, limits: null);
        }
    }

    private async Task WithdrawAsync(Gates gates, Candidate withdrawn)
    {
        await ApplyAsync(gates, _ => new GateOperation.Withdraw(withdrawn));
        await ApplyAsync(gates, Pass(withdrawn));
    }

    private Task<bool> ChangeAsync(Gates gates, Func<GateState, GateState> change) =>
        ApplyAsync(gates, new GateOperation.Change(change, creates: true));

    // What failed is done again, perhaps although it was done.
    private static async Task<bool> ApplyAsync(Gates gates, Func<bool, GateOperation> operation, GateKind kind, string name)
    {
        for (var isNew = true; ; isNew = false)
        {
            try
            {
                return await gates.RunAsync(kind, name, operation(isNew));
            }
            catch (StoreFaultException)
            {
            }
        }
    }

    private Task<bool> ApplyAsync(Gates gates, Func<bool, GateOperation> operation) => ApplyAsync(gates, operation, kind, name);

    private Task<bool> ApplyAsync(Gates gates, GateOperation operation) => ApplyAsync(gates, _ => operation switch
    {
        GateOperation.Change change => new GateOperation.Change(change.Apply, change.Creates),
        _ => operation,
    });

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
                Assert.True(DeliveryTicket.TryParse(lease.Text, out var ticket));
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
