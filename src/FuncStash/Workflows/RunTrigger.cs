using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>The answer to a trigger.</summary>
/// <param name="Key">The run's key, which is the id of its first message.</param>
/// <param name="Deduplicated">True when there is a run of that id, and no new one was started.</param>
public sealed record Triggered(string RunId, MessageId Key, bool Deduplicated)
{
    /// <summary>The message that was made, where it is not the run's first.</summary>
    public MessageId? Message { get; init; }
}

/// <summary>Starts runs. One that was answered for goes its way whatever dies.</summary>
/// <remarks>
/// The run's id is reserved in its index, then the run, its payload and its first message are stored in one commit. Who
/// dies in between leaves an id that the next trigger of it takes over.
/// </remarks>
public sealed class RunTrigger(
    RunStore runs, RunIndex index, RunTurns turns, RunAdmission admission, MessageIds ids, FuncStashOptions options, TimeProvider time)
{
    private const int SideBySide = 16;

    /// <summary>Starts many, those of one id one after the other.</summary>
    public async ValueTask<IReadOnlyList<Triggered>> StartAsync(IReadOnlyList<RunStart> starts, CancellationToken cancellation = default)
    {
        if (starts.Count == 0)
            return [];
        foreach (var start in starts)
            Check(start);
        if (starts.Count == 1)
            return [await StartAsync(starts[0], cancellation)];
        var results = new Triggered[starts.Count];
        var groups = starts.Index().GroupBy(pair => pair.Item.Spec.RunId, StringComparer.Ordinal).ToList();
        var together = new ParallelOptions { MaxDegreeOfParallelism = SideBySide, CancellationToken = cancellation };
        await Parallel.ForEachAsync(groups, together, async (group, stop) =>
        {
            foreach (var (i, start) in group)
                results[i] = await StartAsync(start, stop);
        });
        return results;
    }

    /// <summary>Starts a run, unless there is one of its id.</summary>
    public async ValueTask<Triggered> StartAsync(RunStart start, CancellationToken cancellation = default)
    {
        var runId = start.Spec.RunId;
        var mine = start.Key ?? ids.Next().OfRun();
        var isNew = start.Key is null;
        while (true)
        {
            var key = await index.ReserveAsync(runId, mine, cancellation);
            using (await turns.EnterAsync(key, cancellation))
            {
                // Under a key that was just made there is no run, but for that of another who found the id reserved for it.
                if (isNew && key == mine)
                {
                    isNew = false;
                    if (await CreateAsync(start, key, cancellation) is { } first)
                        return first;
                }
                switch (await runs.GetAsync(key, cancellation))
                {
                    case null:
                        if (await CreateAsync(start, key, cancellation) is { } created)
                            return created;
                        continue;
                    case { Ended: false } run when start.Replaces && run.Spec.RunId == runId:
                        return await ReplaceAsync(run, start, cancellation);
                    case { Ended: true } run when Now - run.CreatedAt > options.DeduplicationWindow.TotalMilliseconds && key != mine:
                        await index.PassOnAsync(runId, key, mine, cancellation);
                        continue;
                    default:
                        return new Triggered(runId, key, Deduplicated: key != start.Key);
                }
            }
        }
    }

    private async ValueTask<Triggered?> CreateAsync(RunStart start, MessageId key, CancellationToken cancellation)
    {
        var spec = start.Spec;
        var run = new Run(key, spec, new RunProgress(), null);
        var initial = new RunStep(StepKey.Initial, key.Text, key.CreatedAt) { Body = start.Payload, Size = start.Payload.Length };
        var message = MessageOf(run, key, start);
        var change = RunRules.Append(run, [new Submission(initial, message with { NotBefore = message.CreatedAt })], options.Workflows) with { Messages = [message] };
        if (await runs.CommitAsync(null, change, admission.JoinsAtOnce, cancellation) is not null)
            return null;
        await admission.AcceptAsync(change.Messages);
        return new Triggered(spec.RunId, key, Deduplicated: false);
    }

    // Once, and only before the run has gone on: a delivery that came twice is answered twice.
    private async ValueTask<Triggered> ReplaceAsync(Run run, RunStart start, CancellationToken cancellation)
    {
        while (run is { Ended: false, Progress: { Replaced: false, Entries: 1, Open: 0, Waits.Count: 0 } })
        {
            var spec = run.Spec with
            {
                Header = start.Spec.Header,
                Labels = start.Spec.Labels ?? run.Spec.Labels,
                FlowControl = start.Spec.FlowControl ?? run.Spec.FlowControl,
                FailureCallback = start.Spec.FailureCallback ?? run.Spec.FailureCallback,
                Features = start.Spec.Features,
            };
            var id = run.Key.Follower("replaced", Now);
            var initial = new RunStep(StepKey.Initial, id.Text, id.CreatedAt) { Body = start.Payload, Size = start.Payload.Length };
            var before = await runs.StepAsync(run.Key, StepKey.Initial, cancellation) ?? throw new InvalidDataException($"run {run.Key}: its payload is gone");
            var change = RunRules.Replace(run, spec, before, initial, MessageOf(run with { Spec = spec }, id, start));
            if (await runs.CommitAsync(run, change, admission.JoinsAtOnce, cancellation) is null)
            {
                await admission.AcceptAsync(change.Messages);
                return new Triggered(run.Spec.RunId, run.Key, Deduplicated: false) { Message = id };
            }
            run = await runs.GetAsync(run.Key, cancellation) ?? run;
        }
        return new Triggered(run.Spec.RunId, run.Key, Deduplicated: true);
    }

    // An id that somebody died with may be old.
    private Message MessageOf(Run run, MessageId id, RunStart start) => RunMessages.Configured(run, id) with
    {
        NotBefore = start.NotBefore?.Invoke(Math.Max(id.CreatedAt, Now)) ?? id.CreatedAt,
        Run = RunMessages.PartOf(run, RunRole.Step, StepKey.Initial),
    };

    /// <summary>Refuses what can never be started.</summary>
    /// <exception cref="QStashException">400 or 413.</exception>
    public void Check(RunStart start)
    {
        CheckSize(start.Spec, 413);
        if (start.NotBefore?.Invoke(Now) - Now > options.MaxDelay.TotalMilliseconds)
            throw QStashException.BadRequest($"invalid Upstash-Not-Before: at most {options.MaxDelay.TotalDays:0} days ahead");
    }

    /// <summary>Refuses headers and settings that the run's row has no room for.</summary>
    public static void CheckSize(RunSpec spec, int status)
    {
        var bytes = RunSize.Of(spec);
        if (bytes > MessageRows.MaxSpecBytes)
            throw new QStashException(status, $"the run's headers and settings are too big: {bytes} bytes, at most {MessageRows.MaxSpecBytes}");
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
