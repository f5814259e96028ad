using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>Keeps runs and their entries.</summary>
public sealed class RunStore(IStore store, MessageStore messages)
{
    private const int PageSize = 200;

    // Long enough for whoever made the debt to have settled it.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly RecentRuns _recent = new();

    /// <summary>Reads a run, under way or ended; null when it is not there.</summary>
    public async ValueTask<Run?> GetAsync(MessageId key, CancellationToken cancellation = default) =>
        await GetAsync(RunRows.Live, key, cancellation) ?? await GetAsync(RunRows.Ended, key, cancellation);

    /// <summary>Reads a run that is under way; null when it is not.</summary>
    public ValueTask<Run?> LiveAsync(MessageId key, CancellationToken cancellation = default) =>
        GetAsync(RunRows.Live, key, cancellation);

    private async ValueTask<Run?> GetAsync(string kind, MessageId key, CancellationToken cancellation)
    {
        var row = await store.Tables.GetAsync(RunRows.Table, RunRows.Partition(key), RunRows.RunKey(kind, key), cancellation);
        return row is null ? null : Read(row);
    }

    internal Run Read(Entity row)
    {
        var key = MessageRows.IdOf(row.RowKey);
        if (_recent.Find(key, row) is { } known)
            return known;
        var run = RunRows.FromRow(row, key, _recent.SpecOf(key, row.Bytes("Spec")!));
        _recent.Add(run);
        return run;
    }

    /// <summary>Reads one entry; null when it is not there.</summary>
    public async ValueTask<RunStep?> StepAsync(MessageId key, StepKey step, CancellationToken cancellation = default) =>
        await store.Tables.GetAsync(RunRows.Table, RunRows.Partition(key), RunRows.StepRow(key, step), cancellation) is { } row
            ? RunRows.StepFromRow(row)
            : null;

    /// <summary>All entries of a run, by step.</summary>
    public IAsyncEnumerable<RunStep> StepsAsync(MessageId key, CancellationToken cancellation = default) =>
        StepsAsync(key, RunRows.StepPrefix(key), cancellation);

    /// <summary>
    /// The entries of a run as it was read, or newer ones; those of a run that this process has in hand without reading them.
    /// None is missing but <see cref="StepKind.CallResult"/>, which no history has.
    /// </summary>
    public async ValueTask<IReadOnlyList<RunStep>> StepsAsync(Run run, long mostBytes, CancellationToken cancellation = default)
    {
        if (_recent.StepsOf(run) is { } known)
            return known;
        var steps = new List<RunStep>();
        long held = 0;
        await foreach (var step in StepsAsync(run.Key, cancellation))
        {
            // What is too much to be delivered need not be held.
            held += step.Body.Length;
            steps.Add(held > mostBytes ? step with { Body = [] } : step);
        }
        if (held <= mostBytes)
            _recent.Add(run, steps);
        return steps;
    }

    /// <summary>The entries of one step.</summary>
    public IAsyncEnumerable<RunStep> StepsAsync(MessageId key, int id, CancellationToken cancellation = default) =>
        StepsAsync(key, RunRows.StepPrefix(key) + StepKey.Prefix(id), cancellation);

    private async IAsyncEnumerable<RunStep> StepsAsync(
        MessageId key, string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var rows = new RowPages(store.Tables, RunRows.Table, RunRows.Partition(key), RowRange.Prefix(prefix), only: null);
        await foreach (var row in rows.AllAsync(cancellation))
            yield return RunRows.StepFromRow(row);
    }

    /// <summary>All entries of a run. Of a long history the bodies stay where they are, for <see cref="BodyAsync(MessageId, RunStep, CancellationToken)"/>.</summary>
    public async ValueTask<IReadOnlyList<RunStep>> AllStepsAsync(MessageId key, CancellationToken cancellation = default)
    {
        const long MaxHeld = 4 * 1024 * 1024;
        var steps = new List<RunStep>();
        long held = 0;
        await foreach (var step in StepsAsync(key, cancellation))
        {
            held += step.Body.Length;
            steps.Add(held > MaxHeld ? step with { Body = [] } : step);
        }
        return steps;
    }

    /// <summary>What was submitted with an entry, wherever it lies.</summary>
    /// <exception cref="InvalidDataException">The run or its payload was purged.</exception>
    public async ValueTask<byte[]> BodyAsync(MessageId key, RunStep step, CancellationToken cancellation = default)
    {
        if (step.BodyName is null && step.Body.Length == 0 && step.Size > 0)
            step = await StepAsync(key, step.Key, cancellation) ?? throw new InvalidDataException($"run {key}: its entry {step.Key} is gone");
        return step.BodyName is { } name ? await BodyAsync(name, cancellation) : step.Body;
    }

    public async ValueTask<byte[]> BodyAsync(string name, CancellationToken cancellation = default) =>
        await store.Bodies.GetAsync(name, cancellation) ?? throw new InvalidDataException($"the payload {name} is gone");

    /// <summary>The entry with a body that is too big for its row stored elsewhere.</summary>
    public async ValueTask<RunStep> WithBodyStoredAsync(RunStep step, CancellationToken cancellation = default) =>
        await StoreAsync(step.Body, cancellation) is { } name ? step with { Body = [], BodyName = name } : step;

    /// <summary>
    /// Stores a body that is too big for a row; null for one that is not. Each has a name of its own: of two that are
    /// submitted for the same step only one is taken, and the other must not stand in its place.
    /// </summary>
    public async ValueTask<string?> StoreAsync(byte[] body, CancellationToken cancellation = default)
    {
        if (body.Length <= RunRows.InlineBytes)
            return null;
        var name = $"run-{Guid.NewGuid():N}";
        await store.Bodies.PutAsync(name, body, cancellation);
        return name;
    }

    /// <summary>Removes a body that nothing names after all.</summary>
    public ValueTask RemoveBodyAsync(string name, CancellationToken cancellation = default) => store.Bodies.DeleteAsync(name, cancellation);

    /// <summary>What the workflow returned, wherever it lies; empty for nothing.</summary>
    public async ValueTask<byte[]> ResultAsync(Run run, CancellationToken cancellation = default) =>
        run.Progress.ResultName is { } name ? await BodyAsync(name, cancellation) : run.Progress.Result ?? [];

    /// <summary>An event that waits for the run, its data loaded wherever they lie.</summary>
    public async ValueTask<KeptEvent> EventAsync(MessageId key, StoredEvent kept, CancellationToken cancellation = default)
    {
        var row = await store.Tables.GetAsync(RunRows.Table, RunRows.Partition(key), RunRows.EventRow(key, kept.Number), cancellation)
            ?? throw new InvalidDataException($"event {kept.Number} of run {key} is gone");
        return row.Text("BodyName") is { } name
            ? new KeptEvent(kept, await BodyAsync(name, cancellation), name)
            : new KeptEvent(kept, row.Bytes("Body") ?? []);
    }

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
            added.Add(await WithBodyStoredAsync(step, cancellation));
        var changed = new List<RunStep>(change.Changed.Count);
        foreach (var step in change.Changed)
            changed.Add(await WithBodyStoredAsync(step, cancellation));
        var kept = change.Kept is { } data && await StoreAsync(data.Data, cancellation) is { } name
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

    /// <summary>What a run still owes.</summary>
    public async ValueTask<IReadOnlyList<Debt>> DebtsAsync(MessageId key, CancellationToken cancellation = default)
    {
        var rows = await store.Tables.QueryAsync(
            RunRows.Table, RunRows.Partition(key), RowRange.Prefix(RunRows.DebtPrefix(key)), PageSize, cancellation: cancellation);
        return [.. rows.Select(row => RunJson.ReadDebt(row.Bytes("Debt")!))];
    }

    /// <summary>Notes that a debt is settled.</summary>
    public async ValueTask SettledAsync(MessageId key, Debt debt, CancellationToken cancellation = default) =>
        await store.Tables.CommitAsync(
            new Commit(RunRows.Table, RunRows.Partition(key), [new Write.Delete(RunRows.DebtPrefix(key) + debt.Key, null)]), cancellation);

    /// <summary>Adds an entry to a run that is not under way; nothing when it is there.</summary>
    public async ValueTask AddAsync(MessageId key, RunStep step, CancellationToken cancellation = default)
    {
        var stored = await WithBodyStoredAsync(step, cancellation);
        var row = RunRows.ToRow(key, stored);
        var result = await store.Tables.CommitAsync(new Commit(RunRows.Table, row.PartitionKey, [new Write.Insert(row)]), cancellation);
        if (!result.Applied && stored.BodyName is { } name && step.BodyName is null)
            await RemoveBodyAsync(name, CancellationToken.None);
    }
}

/// <summary>Why a change was not applied.</summary>
/// <param name="Step">The entry that is there already; null when the run has changed since it was read.</param>
public sealed record RunConflict(StepKey? Step);
