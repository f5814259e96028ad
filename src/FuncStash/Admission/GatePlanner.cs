using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>What a group of operations makes of a gate.</summary>
/// <param name="More">True when there are more to admit than fit in one commit.</param>
internal sealed record GatePlan(GateState State, Commit Commit, bool More);

/// <summary>Turns a gate's state and a group of operations into one commit: the new state, the wait list, the sends.</summary>
internal sealed class GatePlanner(GateKind kind, string name, GateContext context)
{
    private const int MaxAdmissions = 50;

    private readonly string _partition = GateRows.Partition(kind, name);

    /// <param name="version">The gate as it is, or is remembered.</param>
    /// <param name="group">The operations, in order; joins learn whether they were admitted.</param>
    /// <param name="afterConflict">True when anything may be in the wait list already.</param>
    /// <returns>Null when nothing changes.</returns>
    public async ValueTask<GatePlan?> PlanAsync(GateVersion version, List<GateOperation> group, bool afterConflict)
    {
        var isMissing = version.ETag is null && !group.Exists(operation => operation.Creates);
        // What an earlier plan, of a gate that has changed since, said of them does not count.
        foreach (var join in group.OfType<GateOperation.Join>())
            (join.Admitted, join.WasInside, join.FoundNone) = (false, false, isMissing);
        if (isMissing)
            return null;
        var now = context.Now;
        var state = GateRules.WithoutFuture(version.State, now);
        // Rows of the wait list that go, and candidates that come; one that is in both is written anew.
        var leaving = new HashSet<string>(StringComparer.Ordinal);
        var joining = new List<GateOperation.Join>();
        var last = state.Last;
        var expected = await ExpectedLine.ReadAsync(context, _partition, state.NextExpected, now);
        foreach (var operation in group)
        {
            switch (operation)
            {
                case GateOperation.Change change:
                    state = change.Apply(state);
                    break;
                case GateOperation.Expect expect:
                    expect.CreatedAt = state.CreatedAt;
                    expected.Add(expect.Order);
                    break;
                case GateOperation.Unexpect unexpect:
                    await expected.RemoveAsync(unexpect.Order);
                    break;
                case GateOperation.Withdraw withdraw:
                    await expected.RemoveAsync(withdraw.Candidate.Order);
                    joining.RemoveAll(j => j.Candidate.Message == withdraw.Candidate.Message);
                    if (await FindAsync(withdraw.Candidate) is { } there)
                        leaving.Add(there.Order);
                    break;
                case GateOperation.Join join when !join.Means(state):
                    join.FoundNone = true;
                    await expected.RemoveAsync(join.Candidate.Order);
                    break;
                case GateOperation.Join join:
                    state = join.Limits?.Invoke(state) ?? state;
                    await JoinAsync(join);
                    break;
            }
        }

        var capacity = Math.Min(GateRules.Capacity(state, now), MaxAdmissions);
        var staying = state.Waiting - leaving.Count;
        var heads = capacity > 0 && staying > 0 ? await HeadsAsync(capacity, leaving) : [];
        if (capacity > 0 && expected.First is not null)
            await expected.LookForAsync(heads.Concat(joining.Select(j => j.Placed)).Select(c => c.Order));
        var room = Commit.MaxWrites - 1 - expected.Count - RowsOf(leaving.Union(joining.Select(j => j.Placed.Order)));
        if (FitIn(heads, room) is var fit && fit < heads.Count)
        {
            // Nobody gets in before those for whom there was no room.
            heads.RemoveRange(fit, heads.Count - fit);
            capacity = fit;
        }
        // Sent on its way anew it may have got in already, at another place of the line.
        foreach (var twice in heads.Where(head => GateRules.IndexOf(state, head.Message, head.Attempt) >= 0))
            leaving.Add(twice.Order);
        heads.RemoveAll(head => leaving.Contains(head.Order));
        staying = state.Waiting - leaving.Count;
        var next = heads.Concat(joining.Select(j => j.Placed)).OrderBy(c => c.Order, StringComparer.Ordinal).Take(capacity).ToList();
        // One that is due before them has not come yet.
        long? heldUntil = expected.First is { } first && next.RemoveAll(c => expected.IsBehind(c.Order, first)) > 0 && !expected.IsPart
            ? expected.GivenUpAt(first)
            : null;
        HashSet<Candidate> admitted = [.. next];
        heads.RemoveAll(head => !admitted.Contains(head));
        joining.ForEach(join => join.Admitted = admitted.Contains(join.Placed));
        var (entering, waiting) = (joining.FindAll(j => j.Admitted), joining.FindAll(j => !j.Admitted));

        List<Candidate> sent = [.. heads, .. entering.Where(j => j.Announce).Select(j => j.Placed)];
        state = GateRules.Admit(state, sent, now, now + GateContext.AnnouncedMs);
        state = GateRules.Admit(state, [.. entering.Where(j => !j.Announce).Select(j => j.Placed)], now, now + context.SlotMs);
        state = state with { Waiting = staying - heads.Count + waiting.Count, NextExpected = expected.NextAt };
        List<Send> sends = [.. sent.Select(SendOf)];
        if ((heldUntil ?? GateRules.NextLook(state, now)) is { } look && !(state.WakeAt <= look && state.WakeAt > now))
        {
            state = state with { WakeAt = look };
            sends.Add(Wake(look).ToSend(TimeSpan.FromMilliseconds(look - now)));
        }

        List<Write> writes = [.. expected.Writes];
        var coming = waiting.FindAll(join => !leaving.Remove(join.Placed.Order)).ConvertAll(join => join.Placed);
        List<string> going = [.. leaving, .. heads.Select(head => head.Order)];
        foreach (var order in going)
        {
            writes.Add(new Write.Delete(GateRows.WaitPrefix + order, null));
            // One that got in line twice has one such row, and a row that is not there cannot be deleted.
            if (LineOrder.IsMoved(order) && await GateRows.PlaceAsync(context.Store.Tables, _partition, LineOrder.MessageOf(order)) == order)
                writes.Add(new Write.Delete(GateRows.PlacePrefix + LineOrder.MessageOf(order), null));
        }
        foreach (var join in waiting)
            writes.Add(new Write.Upsert(GateRows.ToRow(_partition, join.Placed)));
        foreach (var moved in coming.Where(candidate => LineOrder.IsMoved(candidate.Order)))
            writes.Add(new Write.Upsert(GateRows.ToPlaceRow(_partition, moved)));
        state = state.Waiting == 0
            ? state with { Last = null, Moved = 0 }
            : state with { Last = last, Moved = state.Moved + coming.Count(c => LineOrder.IsMoved(c.Order)) - going.Count(LineOrder.IsMoved) };
        // A wake that came early is sent again for the same time: nothing but a send.
        if (version.ETag is not null && writes.Count + sends.Count == 0 && state == version.State)
            return null;
        var row = GateRows.ToRow(_partition, state);
        writes.Insert(0, version.ETag is { } etag ? new Write.Replace(row, etag) : new Write.Insert(row));
        var more = heldUntil is null && state.Waiting > 0 && GateRules.Capacity(state, now) > 0;
        return new GatePlan(state, new Commit(GateRows.Table, _partition, writes) { Sends = sends }, more);

        async ValueTask JoinAsync(GateOperation.Join join)
        {
            var candidate = join.Placed = join.Candidate;
            join.Admitted = join.WasInside = GateRules.IndexOf(state, candidate.Message, candidate.Attempt) >= 0;
            if (join.Admitted)
                return;
            if (join.WasExpected)
                await expected.RemoveAsync(candidate.Order);
            if (joining.FindIndex(j => j.Candidate.Order == candidate.Order) is var same and >= 0)
            {
                // Of two tickets the old one would be refused.
                if (joining[same].Candidate.Ticket < candidate.Ticket)
                {
                    join.Placed = candidate with { Order = joining[same].Placed.Order };
                    joining[same] = join;
                }
                return;
            }
            if ((afterConflict || !join.IsNew) && await FindAsync(candidate) is { } known && !leaving.Contains(known.Order))
            {
                if (known.Ticket >= candidate.Ticket)
                    return;
                // Sent on its way anew while it stood in line, where it stays: its old ticket would be refused.
                leaving.Add(known.Order);
                join.Placed = candidate with { Order = known.Order };
            }
            else if (join.Last && string.CompareOrdinal(candidate.Order, last) <= 0)
                join.Placed = candidate with { Order = LineOrder.Behind(last!, candidate.Message) };
            if (string.CompareOrdinal(join.Placed.Order, last) > 0)
                last = join.Placed.Order;
            joining.Add(join);
        }

        ValueTask<Candidate?> FindAsync(Candidate candidate) =>
            GateRows.FindAsync(context.Store.Tables, _partition, candidate, state.Moved > 0);
    }

    private static int RowsOf(IEnumerable<string> orders) => orders.Sum(order => LineOrder.IsMoved(order) ? 2 : 1);

    /// <summary>How many from the first on have room for their rows.</summary>
    private static int FitIn(List<Candidate> heads, int room)
    {
        for (var i = 0; i < heads.Count; i++)
        {
            room -= RowsOf([heads[i].Order]);
            if (room < 0)
                return i;
        }
        return heads.Count;
    }

    private async ValueTask<List<Candidate>> HeadsAsync(int take, HashSet<string> leaving)
    {
        var rows = await context.Store.Tables.QueryAsync(
            GateRows.Table, _partition, RowRange.Prefix(GateRows.WaitPrefix), take + leaving.Count);
        return [.. rows.Select(GateRows.CandidateFromRow).Where(c => !leaving.Contains(c.Order)).Take(take)];
    }

    private WorkItem Wake(long at) =>
        kind == GateKind.Queue ? new WorkItem.WakeQueue(name, at) : new WorkItem.WakeFlowKey(name, at);

    // A retry's says when that was due, which tells it from the ticket of the attempt before.
    private static Send SendOf(Candidate candidate) => new WorkItem.Deliver(
        new DeliveryTicket(MessageId.Parse(candidate.Message), candidate.Ticket),
        candidate.Attempt > 0 && !LineOrder.IsMoved(candidate.Order) ? LineOrder.TimeOf(candidate.Order) : null).ToSend();
}
