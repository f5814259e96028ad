using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using FuncStash.Settings;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>The gates of this process, by kind and name.</summary>
public sealed class Gates(IStore store, FuncStashOptions options, TimeProvider time)
{
    /// <summary>More gates than this are not remembered between uses; each can be read again.</summary>
    internal int MaxRemembered { get; init; } = 20_000;

    private const int SideBySide = 32;

    private readonly ConcurrentDictionary<(GateKind, string), Gate> _gates = new();
    private readonly GateContext _context = new(store, time, (long)(options.MaxTimeout + TimeSpan.FromMinutes(5)).TotalMilliseconds);

    /// <summary>Unix milliseconds.</summary>
    internal long Now => _context.Now;

    internal Task<bool> RunAsync(GateKind kind, string name, GateOperation operation)
    {
        while (true)
        {
            if (!_gates.TryGetValue((kind, name), out var gate))
            {
                if (_gates.Count >= MaxRemembered)
                    ForgetIdle();
                gate = _gates.GetOrAdd((kind, name), static (key, context) => new Gate(key.Item1, key.Item2, context), _context);
            }
            if (gate.TryRun(operation))
                return operation.Done;
            _gates.TryRemove(new((kind, name), gate));
        }
    }

    // Not those at work: what comes to a gate in a row is to find the same one, or its order would be lost.
    private void ForgetIdle()
    {
        foreach (var entry in _gates)
        {
            if (entry.Value.TryForget())
                _gates.TryRemove(entry);
        }
    }

    /// <summary>Changes a gate, creating it when it is not there; waiting messages that now may go are sent on their way.</summary>
    public Task ChangeAsync(GateKind kind, string name, Func<GateState, GateState> change) =>
        RunAsync(kind, name, new GateOperation.Change(state => change(state) with { UpdatedAt = _context.Now }, creates: true));

    /// <summary>Takes holders off a place and puts others on; nothing when the place or the gate is gone.</summary>
    internal Task PassAsync(GateKind kind, string name, string place, int attempt, string? leaver, IReadOnlyList<string> heirs) =>
        RunAsync(kind, name, new GateOperation.Change(
            state => GateRules.Pass(state, place, attempt, leaver, heirs), creates: false));

    /// <summary>Looks at a gate again.</summary>
    public Task WakeAsync(GateKind kind, string name) => RunAsync(kind, name, GateOperation.Change.Nothing());

    /// <summary>Looks at a gate again because its wake message has come; should it still be early, another one is sent.</summary>
    /// <param name="at">The time of the wake message, in unix milliseconds.</param>
    internal Task WakeAsync(GateKind kind, string name, long at) => RunAsync(kind, name, new GateOperation.Change(
        state => state.WakeAt == at ? state with { WakeAt = null } : state, creates: false));

    /// <summary>A gate's stored state; null when there is none of that name.</summary>
    public async ValueTask<GateState?> GetAsync(GateKind kind, string name, CancellationToken cancellation = default) =>
        await store.Tables.GetAsync(GateRows.Table, GateRows.Partition(kind, name), GateRows.StateKey, cancellation) is { } row
            ? GateRows.FromRow(row)
            : null;

    /// <summary>The gates of a kind in the order of their names, read as they are asked for.</summary>
    public IAsyncEnumerable<(string Name, GateState State)> ListAsync(
        GateKind kind, string? containing = null, CancellationToken cancellation = default) =>
        NamedAsync(kind, containing, cancellation).Where(gate => gate.State is not null).Select(gate => (gate.Name, gate.State!));

    /// <summary>The same, and with no state the names whose gate is gone, or not there yet.</summary>
    internal async IAsyncEnumerable<(string Name, GateState? State)> NamedAsync(
        GateKind kind, string? containing = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var names = GateIndex.ListAsync(store.Tables, kind, cancellation)
            .Where(name => containing is null || name.Contains(containing, StringComparison.OrdinalIgnoreCase));
        await foreach (var some in names.Chunk(SideBySide).WithCancellation(cancellation))
        {
            var found = await Task.WhenAll(some.Select(name => TryGetAsync(kind, name, cancellation)));
            foreach (var (name, (isReadable, state)) in some.Zip(found))
            {
                if (isReadable)
                    yield return (name, state);
            }
        }
    }

    // One that nobody can read is no reason to leave out the others.
    private async Task<(bool IsReadable, GateState? State)> TryGetAsync(GateKind kind, string name, CancellationToken cancellation)
    {
        try
        {
            return (true, await GetAsync(kind, name, cancellation));
        }
        catch (JsonException)
        {
            return (false, null);
        }
    }

    /// <summary>The candidates in a gate's wait list, in order.</summary>
    public async ValueTask<IReadOnlyList<Candidate>> WaitingAsync(
        GateKind kind, string name, int take, string? after = null, CancellationToken cancellation = default)
    {
        var range = after is null
            ? RowRange.Prefix(GateRows.WaitPrefix)
            : RowRange.PrefixAfter(GateRows.WaitPrefix, GateRows.WaitPrefix + after);
        var rows = await store.Tables.QueryAsync(
            GateRows.Table, GateRows.Partition(kind, name), range, take, cancellation: cancellation);
        return [.. rows.Select(GateRows.CandidateFromRow)];
    }

    /// <summary>Who is in a gate and who is next; null when there is none of that name.</summary>
    /// <param name="kind">The kind of gate.</param>
    /// <param name="name">Its name.</param>
    /// <param name="take">So many of either at most.</param>
    /// <param name="cancellation">Stops the read.</param>
    public async ValueTask<GateLine?> LineAsync(GateKind kind, string name, int take, CancellationToken cancellation = default)
    {
        if (await GetAsync(kind, name, cancellation) is not { } state)
            return null;
        var next = state.Waiting > 0 && take > 0 ? await WaitingAsync(kind, name, take, cancellation: cancellation) : [];
        return new GateLine(
            state.Waiting, state.Inside.Count,
            [.. state.Inside.Select(slot => slot.Message).Distinct().Take(take)], [.. next.Select(candidate => candidate.Message)],
            next is [var first, ..] ? LineOrder.TimeOf(first.Order) : null, state.Paused ? state.PausedAt : null);
    }

    /// <summary>A gate as a candidate finds it, and how many stand in line before it.</summary>
    /// <param name="kind">The kind of gate.</param>
    /// <param name="name">Its name.</param>
    /// <param name="candidate">Who stands there.</param>
    /// <param name="most">So many are counted at most: more than these are as many.</param>
    /// <param name="cancellation">Stops the read.</param>
    /// <returns>Null when it does not stand in line there.</returns>
    public async ValueTask<(GateState State, int Ahead)?> PlaceAsync(
        GateKind kind, string name, Candidate candidate, int most, CancellationToken cancellation = default)
    {
        var partition = GateRows.Partition(kind, name);
        if (await GetAsync(kind, name, cancellation) is not { Waiting: > 0 } state
            || await GateRows.FindAsync(store.Tables, partition, candidate, state.Moved > 0, cancellation) is not { } placed)
            return null;
        var before = await WaitingAsync(kind, name, most + 1, cancellation: cancellation);
        return (state, Math.Min(most, before.TakeWhile(other => string.CompareOrdinal(other.Order, placed.Order) < 0).Count()));
    }

    /// <summary>True when the candidate stands in the wait list or is inside.</summary>
    public async ValueTask<bool> KnowsAsync(GateKind kind, string name, Candidate candidate, CancellationToken cancellation = default)
    {
        if (await GetAsync(kind, name, cancellation) is not { } state)
            return false;
        return GateRules.IndexOf(state, candidate.Message, candidate.Attempt) >= 0
            || await GateRows.FindAsync(store.Tables, GateRows.Partition(kind, name), candidate, state.Moved > 0, cancellation) is not null;
    }

    // The messages of those beyond the first thousand take their rows along when they are due.
    private async ValueTask ForgetExpectedAsync(string partition, CancellationToken cancellation)
    {
        for (var round = 0; round < 10; round++)
        {
            var rows = await store.Tables.QueryAsync(
                GateRows.Table, partition, RowRange.Prefix(GateRows.ExpectedPrefix), Commit.MaxWrites, only: [], cancellation);
            // A queue of that name that is there again has rows of its own.
            if (rows.Count == 0 || await store.Tables.GetAsync(GateRows.Table, partition, GateRows.StateKey, cancellation) is not null)
                return;
            Write[] writes = [.. rows.Select(row => new Write.Delete(row.RowKey, row.ETag))];
            await store.Tables.CommitAsync(new Commit(GateRows.Table, partition, writes), cancellation);
        }
    }

    /// <summary>Forgets a gate that nobody is in or waits at.</summary>
    /// <param name="kind">The kind of gate.</param>
    /// <param name="name">Its name.</param>
    /// <param name="when">Whether it may go as it is now: it may have come, or changed, since the caller looked.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>False when it stays.</returns>
    internal async ValueTask<bool> RemoveAsync(
        GateKind kind, string name, Predicate<GateState>? when = null, CancellationToken cancellation = default)
    {
        var entry = await GateIndex.FindAsync(store.Tables, kind, name, cancellation);
        var partition = GateRows.Partition(kind, name);
        if (await store.Tables.GetAsync(GateRows.Table, partition, GateRows.StateKey, cancellation) is { } row)
        {
            if (GateRows.FromRow(row) is not { Waiting: 0, Inside.Count: 0 } state || when?.Invoke(state) == false)
                return false;
            var delete = new Commit(GateRows.Table, partition, [new Write.Delete(GateRows.StateKey, row.ETag)]);
            if (!(await store.Tables.CommitAsync(delete, cancellation)).Applied)
                return false;
        }
        else if (entry is not null && !GateIndex.IsOld(entry, _context.Now))
            return true;
        if (kind == GateKind.Queue)
            await ForgetExpectedAsync(partition, cancellation);
        if (entry is not null)
            await GateIndex.RemoveAsync(store.Tables, entry, cancellation);
        return true;
    }
}
