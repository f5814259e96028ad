using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Runs;

/// <summary>Keeps runs and their entries.</summary>
public sealed partial class RunStore(IStore store, MessageStore messages)
{
    /// <summary>What the names of payloads begin with, before the run's key.</summary>
    internal const string BodyPrefix = "run-";

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
        var (steps, areWhole) = await StepsAsync(run.Key, mostBytes, cancellation);
        if (areWhole)
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
        return (await StepsAsync(key, MaxHeld, cancellation)).Steps;
    }

    // Above so many bytes, the bodies of the others stay where they are.
    private async ValueTask<(IReadOnlyList<RunStep> Steps, bool AreWhole)> StepsAsync(MessageId key, long mostBytes, CancellationToken cancellation)
    {
        var steps = new List<RunStep>();
        long held = 0;
        await foreach (var step in StepsAsync(key, cancellation))
        {
            held += step.Body.Length;
            steps.Add(held > mostBytes ? step with { Body = [] } : step);
        }
        return (steps, held <= mostBytes);
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
    private async ValueTask<RunStep> WithBodyStoredAsync(MessageId key, RunStep step, CancellationToken cancellation) =>
        await StoreAsync(key, step.Body, cancellation) is { } name ? step with { Body = [], BodyName = name } : step;

    /// <summary>
    /// Stores a body that is too big for a row; null for one that is not. Each has a name of its own: of two that are
    /// submitted for the same step only one is taken, and the other must not stand in its place.
    /// </summary>
    /// <param name="key">The key of the run whose rows will name it.</param>
    /// <param name="body">The body.</param>
    /// <param name="cancellation">Stops the work.</param>
    public async ValueTask<string?> StoreAsync(MessageId key, byte[] body, CancellationToken cancellation = default)
    {
        if (body.Length <= RunRows.InlineBytes)
            return null;
        var name = BodyName.New(BodyPrefix + key.Text);
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

    /// <summary>Takes from these payloads those that a row of a run names.</summary>
    /// <remarks>
    /// A change that moves a name from an entry or an event to a debt is one commit, and the debts are read last: no name is
    /// missed on its way. A run that is being resumed has entries before it is there itself.
    /// </remarks>
    /// <exception cref="Exception">The run cannot be read (<see cref="MessageRows.IsUnreadable"/>).</exception>
    internal async ValueTask ExceptNamedAsync(MessageId key, ISet<string> names, CancellationToken cancellation)
    {
        if (await GetAsync(key, cancellation) is { Progress.ResultName: { } result })
            names.Remove(result);
        foreach (var prefix in new[] { RunRows.StepPrefix(key), RunRows.EventPrefix(key), RunRows.DebtPrefix(key) })
        {
            var rows = new RowPages(
                store.Tables, RunRows.Table, RunRows.Partition(key), RowRange.Prefix(prefix), ["BodyName"], Storage.PageSize.MostOfFew);
            await foreach (var row in rows.AllAsync(cancellation))
            {
                if (row.Text("BodyName") is { } name && names.Remove(name) && names.Count == 0)
                    return;
            }
        }
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
        var stored = await WithBodyStoredAsync(key, step, cancellation);
        var row = RunRows.ToRow(key, stored);
        var result = await store.Tables.CommitAsync(new Commit(RunRows.Table, row.PartitionKey, [new Write.Insert(row)]), cancellation);
        if (!result.Applied && stored.BodyName is { } name && step.BodyName is null)
            await RemoveBodyAsync(name, CancellationToken.None);
    }
}
