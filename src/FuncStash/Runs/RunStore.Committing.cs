using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

// How changes of runs are stored.
public sealed partial class RunStore
{
    /// <summary>Applies a change, with all that is stored with it; nothing of it when something conflicts.</summary>
    /// <param name="before">The run as it was read; null for a new one.</param>
    /// <param name="change">The change.</param>
    /// <param name="unscheduled">Messages that something else sends on their way.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<RunConflict?> CommitAsync(
        Run? before, RunChange change, Func<Message, bool>? unscheduled = null, CancellationToken cancellation = default)
    {
        var news = change.Messages.Select(m => new NewMessage(m, Scheduled: unscheduled?.Invoke(m) != true)).ToList();
        return await CommitAsync(
            before, change, writes => messages.CreateAsync(change.After.Key, writes, news, SendsOf(change), cancellation), cancellation);
    }

    /// <summary>The same, and a message of the run that was to come later is made due now.</summary>
    public ValueTask<RunConflict?> CommitAsync(
        Run before, RunChange change, StoredMessage hurried, long dueAt, CancellationToken cancellation = default) =>
        CommitAsync(before, change, writes => messages.HurryAsync(hurried, dueAt, writes, cancellation), cancellation);

    private async ValueTask<RunConflict?> CommitAsync(
        Run? before, RunChange change, Func<IReadOnlyList<Write>, ValueTask<CommitResult>> commit, CancellationToken cancellation)
    {
        var stored = HasBodiesToStore(change) ? await WithBodiesStoredAsync(change, cancellation) : change;
        var writes = WritesOf(before, stored);
        if (IsTooLarge(writes, stored.Messages))
        {
            await RemoveBodiesAsync(change, stored);
            throw RunRules.TooLarge("its headers, settings, waits and events take more than a record holds");
        }
        var result = await commit(writes);
        var conflict = ConflictOf(result, before, stored);
        if (conflict is not null)
            await RemoveBodiesAsync(change, stored);
        else
            Remember(before, stored, result.ETags[RowOf(before, stored.After)], writes);
        return conflict;
    }

    // The next one who asks for the run need not parse what was just written.
    private void Remember(Run? before, RunChange change, string etag, IReadOnlyList<Write> writes)
    {
        var after = change.After;
        if (after.SpecBytes is null && writes[RowOf(before, after)] is Write.Insert { Entity: var row })
            after = after with { SpecBytes = row.Bytes("Spec") };
        // A resumed run has entries before it is stored.
        var steps = before is not null ? _recent.StepsOf(before) : change.Added is [{ Key.Id: 0 }, ..] ? [] : null;
        if (steps is not null && change.Changed.Count > 0)
            steps = [.. steps.Where(step => !change.Changed.Any(changed => changed.Key == step.Key)), .. change.Changed];
        if (steps is not null && change.Added.Count > 0)
            steps = With(steps, change.Added);
        _recent.Add(after with { ETag = etag }, steps);
    }

    // Null where one of them would be there already: then somebody has taken it away, at no new version of the run.
    private static IReadOnlyList<RunStep>? With(IReadOnlyList<RunStep> steps, IReadOnlyList<RunStep> added)
    {
        foreach (var step in added)
        {
            if (steps.Any(other => other.Key == step.Key))
                return null;
        }
        return [.. steps, .. added];
    }

    // Which of the writes is that of the run's row.
    private static int RowOf(Run? before, Run after) => before is not null && before.Ended != after.Ended ? 1 : 0;

    private static bool IsTooLarge(IReadOnlyList<Write> writes, IReadOnlyList<Message> messages)
    {
        foreach (var write in writes)
        {
            if (write is Write.Insert { Entity.Size: > Entity.MaxBytes } or Write.Replace { Entity.Size: > Entity.MaxBytes })
                return true;
        }
        foreach (var message in messages)
        {
            if (MessageRows.SpecBytes(message) > MessageRows.MaxSpecBytes)
                return true;
        }
        return false;
    }

    // Those that were stored for this commit, and that nothing names after all.
    private async ValueTask RemoveBodiesAsync(RunChange change, RunChange stored)
    {
        if (ReferenceEquals(change, stored))
            return;
        foreach (var (before, after) in change.Added.Concat(change.Changed).Zip(stored.Added.Concat(stored.Changed)))
        {
            if (after.BodyName is { } name && before.BodyName is null)
                await RemoveBodyAsync(name, CancellationToken.None);
        }
        if (stored.Kept is { BodyName: { } kept })
            await RemoveBodyAsync(kept, CancellationToken.None);
    }

    /// <summary>Work-queue messages that see to it that debts are settled, whoever dies.</summary>
    public static IReadOnlyList<Send> SendsOf(RunChange change) =>
        change.Debts.Count == 0 ? [] : [new WorkItem.SettleRun(change.After.Key).ToSend(s_patience)];

    /// <summary>The writes of a change that stores no payloads, all of them to the run's partition.</summary>
    public static IReadOnlyList<Write> WritesOf(Run? before, RunChange change)
    {
        var (after, key) = (change.After, change.After.Key);
        var writes = new List<Write>(4 + change.Added.Count);
        if (before is null)
        {
            writes.Add(new Write.Insert(RunRows.ToRow(after)));
        }
        else if (before.Ended == after.Ended)
        {
            writes.Add(new Write.Replace(RunRows.ToRow(after), before.ETag!));
        }
        else
        {
            writes.Add(new Write.Delete(RunRows.RunKey(RunRows.Live, key), before.ETag));
            writes.Add(new Write.Insert(RunRows.ToRow(after)));
        }
        foreach (var step in change.Added)
            writes.Add(new Write.Insert(RunRows.ToRow(key, step)));
        foreach (var step in change.Changed)
        {
            var row = RunRows.ToRow(key, step);
            writes.Add(step.ETag is { } etag ? new Write.Replace(row, etag) : new Write.Upsert(row));
        }
        if (change.Kept is { } kept)
            writes.Add(new Write.Insert(RunRows.ToRow(key, kept)));
        if (change.Taken is { } taken)
            writes.Add(new Write.Delete(RunRows.EventRow(key, taken.Number), null));
        foreach (var debt in change.Debts)
            writes.Add(new Write.Upsert(RunRows.ToRow(key, debt)));
        return writes;
    }

    private static bool HasBodiesToStore(RunChange change)
    {
        foreach (var step in change.Added)
        {
            if (step.Body.Length > RunRows.InlineBytes)
                return true;
        }
        return change.Changed.Count > 0 || change.Kept is not null;
    }

    private async ValueTask<RunChange> WithBodiesStoredAsync(RunChange change, CancellationToken cancellation)
    {
        var added = new List<RunStep>(change.Added.Count);
        foreach (var step in change.Added)
            added.Add(await WithBodyStoredAsync(change.After.Key, step, cancellation));
        var changed = new List<RunStep>(change.Changed.Count);
        foreach (var step in change.Changed)
            changed.Add(await WithBodyStoredAsync(change.After.Key, step, cancellation));
        var kept = change.Kept is { } data && await StoreAsync(change.After.Key, data.Data, cancellation) is { } name
            ? data with { Data = [], BodyName = name }
            : change.Kept;
        return change with { Added = added, Changed = changed, Kept = kept };
    }

    private static RunConflict? ConflictOf(CommitResult result, Run? before, RunChange change)
    {
        if (result.FailedWrite is not { } index)
            return null;
        var first = RowOf(before, change.After) + 1;
        return index >= first && index < first + change.Added.Count
            ? new RunConflict(change.Added[index - first].Key)
            : new RunConflict(null);
    }
}

/// <summary>Why a change was not applied.</summary>
/// <param name="Step">The entry that is there already; null when the run has changed since it was read.</param>
public sealed record RunConflict(StepKey? Step);
