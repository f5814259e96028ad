using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>One gate as this process sees it. Operations are applied in groups, each group by one compare-and-swap.</summary>
/// <remarks>
/// The state row's version guards the wait list too: every change of the list comes with a new state, in one commit, so
/// the counts are exact and several processes at one gate cannot admit the same candidate or too many. What this process
/// remembers may be out of date: a commit then conflicts, and a group that seems to change nothing is looked at again.
/// </remarks>
internal sealed class Gate(GateKind kind, string name, GateContext context)
{
    // With the state itself and up to three rows for each of them, a group fits into a commit; as a rule with others to be let in.
    private const int MaxGroup = 32;

    private readonly WorkLine<GateOperation> _line = new();
    private readonly GatePlanner _planner = new(kind, name, context);
    private readonly string _partition = GateRows.Partition(kind, name);
    private GateVersion? _known;

    /// <summary>Has an operation applied after those before it; false when this gate was forgotten, and nothing is.</summary>
    public bool TryRun(GateOperation operation)
    {
        var added = _line.Add(operation);
        if (added == Added.Yours)
            _ = Task.Run(DrainAsync);
        return added != Added.Closed;
    }

    /// <summary>Ends the use of this gate, unless an operation is under way.</summary>
    public bool TryForget() => _line.TryClose();

    private async Task DrainAsync()
    {
        while (_line.Take(MaxGroup) is { Count: > 0 } group)
        {
            try
            {
                await ApplyAsync(group);
            }
            catch (Exception error)
            {
                _known = null;
                group.ForEach(operation => operation.Fail(error));
            }
        }
    }

    private async Task ApplyAsync(List<GateOperation> group)
    {
        for (var conflicts = 0; ;)
        {
            var remembered = _known is not null;
            var version = _known ?? await ReadAsync();
            var plan = await _planner.PlanAsync(version, group, afterConflict: conflicts > 0);
            if (plan is null)
            {
                _known = version.ETag is null ? null : version;
                if (!remembered || group.TrueForAll(operation => operation is GateOperation.Join { Admitted: true }))
                    break;
                _known = null;
                continue;
            }
            if (version.ETag is null)
                await GateIndex.AddAsync(context.Store.Tables, kind, name, context.Now);
            var result = await context.Store.Tables.CommitAsync(plan.Commit);
            if (result.Applied)
            {
                // Once more, for a deletion may have come in between; a key is forgotten only an hour after its last use.
                if (version.ETag is null && kind == GateKind.Queue)
                    await GateIndex.AddAsync(context.Store.Tables, kind, name, context.Now);
                _known = new GateVersion(plan.State, result.ETags[0]);
                if (plan.More)
                    _line.Add(GateOperation.Change.Nothing());
                break;
            }
            _known = null;
            conflicts++;
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10 * Math.Min(conflicts, 20))), context.Time);
        }
        foreach (var operation in group)
            operation.Complete(operation is not GateOperation.Join join || join.Admitted);
    }

    private async ValueTask<GateVersion> ReadAsync() =>
        await context.Store.Tables.GetAsync(GateRows.Table, _partition, GateRows.StateKey) is { } row
            ? new GateVersion(GateRows.FromRow(row), row.ETag)
            : new GateVersion(GateState.New(kind, context.Now), null);
}

/// <summary>A state and the version of its row; null for a gate that is not stored.</summary>
internal sealed record GateVersion(GateState State, string? ETag);

/// <summary>What all gates share.</summary>
/// <param name="SlotMs">How long a worker's place is taken for granted, in milliseconds: longer than any attempt.</param>
internal sealed record GateContext(IStore Store, TimeProvider Time, long SlotMs)
{
    /// <summary>How long a message that was sent on its way may take to turn up at a worker, in milliseconds.</summary>
    public const long AnnouncedMs = 60_000;

    /// <summary>When this process began to use gates, in unix milliseconds.</summary>
    public long Since { get; } = Time.GetUtcNow().ToUnixTimeMilliseconds();

    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
