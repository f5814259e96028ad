using System.Threading.Channels;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>One gate as this process sees it. Operations are applied in groups, each group by one compare-and-swap.</summary>
/// <remarks>
/// The state row's version guards the wait list too: every change of the list comes with a new state, in one commit, so
/// the counts are exact and several processes at one gate cannot admit the same candidate or too many.
/// </remarks>
internal sealed class Gate(GateKind kind, string name, GateContext context)
{
    // With the state itself and an entry removed for each one admitted, a group stays below the limit of a commit.
    private const int MaxGroup = 40, MaxAdmissions = 50;

    private readonly Channel<GateOperation> _operations = Channel.CreateUnbounded<GateOperation>();
    private readonly string _partition = GateRows.Partition(kind, name);
    private (GateState State, string? ETag)? _known;
    private int _running;

    public async Task<bool> RunAsync(GateOperation operation)
    {
        _operations.Writer.TryWrite(operation);
        if (Interlocked.CompareExchange(ref _running, 1, 0) == 0)
            _ = Task.Run(DrainAsync);
        return await operation.Done;
    }

    private async Task DrainAsync()
    {
        do
        {
            while (Take() is { Count: > 0 } group)
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
            Volatile.Write(ref _running, 0);
        }
        while (_operations.Reader.Count > 0 && Interlocked.CompareExchange(ref _running, 1, 0) == 0);
    }

    private List<GateOperation> Take()
    {
        var group = new List<GateOperation>();
        while (group.Count < MaxGroup && _operations.Reader.TryRead(out var operation))
            group.Add(operation);
        return group;
    }

    private async Task ApplyAsync(List<GateOperation> group)
    {
        for (var tries = 0; ; tries++)
        {
            if (tries > 0)
            {
                _known = null;
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10 * Math.Min(tries, 20))), context.Time);
            }
            var (state, etag) = _known ?? await ReadAsync();
            var plan = await PlanAsync(state, etag, group);
            if (plan is null)
                break;
            var result = await context.Store.Tables.CommitAsync(plan.Commit);
            if (!result.Applied)
                continue;
            _known = (plan.State, result.ETags[0]);
            if (plan.More)
                _operations.Writer.TryWrite(new GateOperation.Change(static s => s));
            break;
        }
        foreach (var operation in group)
            operation.Complete(operation is not GateOperation.Join join || join.Admitted);
    }

    private async ValueTask<(GateState State, string? ETag)> ReadAsync()
    {
        var row = await context.Store.Tables.GetAsync(GateRows.Table, _partition, GateRows.StateKey);
        if (row is not null)
            return (GateRows.FromRow(row), row.ETag);
        await GateIndex.AddAsync(context.Store.Tables, kind, name);
        return (new GateState { CreatedAt = context.Now, UpdatedAt = context.Now, Parallelism = kind == GateKind.Queue ? 1 : null }, null);
    }

    private sealed record Plan(GateState State, Commit Commit, bool More);

    // Null when nothing changes.
    private async ValueTask<Plan?> PlanAsync(GateState before, string? etag, List<GateOperation> group)
    {
        var now = context.Now;
        var state = before;
        var writes = new List<Write>();
        var joining = new List<GateOperation.Join>();
        var withdrawn = new HashSet<string>(StringComparer.Ordinal);
        foreach (var operation in group)
        {
            switch (operation)
            {
                case GateOperation.Change change:
                    state = change.Apply(state);
                    break;
                case GateOperation.Withdraw withdraw:
                    joining.RemoveAll(j => j.Candidate.Order == withdraw.Order);
                    if (await IsWaitingAsync(withdraw.Order) && withdrawn.Add(withdraw.Order))
                    {
                        writes.Add(new Write.Delete(GateRows.WaitPrefix + withdraw.Order, null));
                        state = state with { Waiting = Math.Max(0, state.Waiting - 1) };
                    }
                    break;
                case GateOperation.Join join:
                    state = join.Limits?.Invoke(state) ?? state;
                    join.Admitted = GateRules.IndexOf(state, join.Candidate.Message, join.Candidate.Attempt) >= 0;
                    var known = join.Admitted || (join.MayWaitAlready && await IsWaitingAsync(join.Candidate.Order));
                    if (!known && !joining.Exists(j => j.Candidate.Order == join.Candidate.Order))
                        joining.Add(join);
                    break;
            }
        }

        var capacity = Math.Min(GateRules.Capacity(state, now), MaxAdmissions);
        var heads = capacity > 0 && state.Waiting > 0 ? await HeadsAsync(capacity, withdrawn) : [];
        List<Candidate> admitted =
        [
            .. heads.Concat(joining.Select(j => j.Candidate)).OrderBy(c => c.Order, StringComparer.Ordinal).Take(capacity),
        ];
        state = GateRules.Admit(state, admitted, now, now + context.SlotMs);

        var sends = new List<Send>();
        foreach (var head in heads.Where(admitted.Contains))
        {
            writes.Add(new Write.Delete(GateRows.WaitPrefix + head.Order, null));
            sends.Add(SendOf(head));
        }
        var waiting = state.Waiting - sends.Count;
        foreach (var join in joining)
        {
            join.Admitted = admitted.Contains(join.Candidate);
            if (join.Admitted && join.Announce)
                sends.Add(SendOf(join.Candidate));
            if (join.Admitted)
                continue;
            writes.Add(new Write.Insert(GateRows.ToRow(_partition, join.Candidate)));
            waiting++;
        }
        state = state with { Waiting = waiting };
        if (GateRules.NextLook(state, now) is { } look && !(before.WakeAt <= look && before.WakeAt > now))
        {
            state = state with { WakeAt = look };
            sends.Add(new Send(DeliveryTicket.Queue, GateWake.Text(kind, name), TimeSpan.FromMilliseconds(look - now)));
        }
        if (etag is not null && writes.Count == 0 && state == before)
            return null;
        var row = GateRows.ToRow(_partition, state);
        writes.Insert(0, etag is null ? new Write.Insert(row) : new Write.Replace(row, etag));
        var more = state.Waiting > 0 && GateRules.Capacity(state, now) > 0;
        return new Plan(state, new Commit(GateRows.Table, _partition, writes) { Sends = sends }, more);
    }

    private async ValueTask<bool> IsWaitingAsync(string order) =>
        await context.Store.Tables.GetAsync(GateRows.Table, _partition, GateRows.WaitPrefix + order) is not null;

    private async ValueTask<List<Candidate>> HeadsAsync(int take, HashSet<string> withdrawn)
    {
        var rows = await context.Store.Tables.QueryAsync(
            GateRows.Table, _partition, RowRange.Prefix(GateRows.WaitPrefix), take + withdrawn.Count);
        return [.. rows.Select(GateRows.CandidateFromRow).Where(c => !withdrawn.Contains(c.Order)).Take(take)];
    }

    private static Send SendOf(Candidate candidate) =>
        new DeliveryTicket(MessageId.Parse(candidate.Message), candidate.Ticket).ToSend(TimeSpan.Zero);
}

/// <summary>What all gates share.</summary>
/// <param name="SlotMs">How long a place is taken for granted, in milliseconds: longer than any attempt.</param>
internal sealed record GateContext(IStore Store, TimeProvider Time, long SlotMs)
{
    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
