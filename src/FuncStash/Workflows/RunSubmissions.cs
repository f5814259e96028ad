using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>Takes in what a run's endpoint submits: results of steps, plans, calls (protocol#steps).</summary>
/// <remarks>
/// An entry, its place in the history and the message that it makes are stored in one commit, at the version of the run's
/// row. What is submitted twice is there already, and answered as the first time.
/// </remarks>
public sealed class RunSubmissions(
    RunStore runs, RunIndex index, RunTurns turns, RunAdmission admission, RunCheck check, FuncStashOptions options, TimeProvider time)
{
    // With the run's row, an entry, a message and its mark each, a commit stays below its limits.
    private const int Together = 30, TogetherBytes = Commit.MaxBytes / 2;

    /// <summary>Refuses what a run can never have of what was submitted to it.</summary>
    /// <exception cref="QStashException">412.</exception>
    public async ValueTask CheckAsync(IReadOnlyList<RunRequest> requests, CancellationToken cancellation = default)
    {
        foreach (var request in requests)
            await check.PartAsync(request, cancellation);
        if (requests.Count > options.Workflows.MaxParallelSteps)
            throw new QStashException(412, $"workflow run is too large: {requests.Count} steps side by side: at most {options.Workflows.MaxParallelSteps}");
    }

    /// <summary>Takes in what was submitted to one run and was checked, all of it or nothing.</summary>
    /// <returns>The messages that the submissions made, now or when they were submitted first.</returns>
    /// <exception cref="QStashException">400 when the run is over, 412 for what the run can never have.</exception>
    public async ValueTask<IReadOnlyList<MessageId>> SubmitAsync(IReadOnlyList<RunRequest> requests, CancellationToken cancellation = default)
    {
        var answers = new MessageId[requests.Count];
        if (requests.Count == 1)
        {
            await SubmitAsync(requests[0].RunId, [(0, StepDraft.Of(requests[0]))], answers, cancellation);
            return answers;
        }
        var items = requests.Select(StepDraft.Of).ToList();
        var firsts = items.Index().GroupBy(item => item.Item.Key?.ToString() ?? $"{item.Index}").Select(same => same.First());
        await SubmitAsync(requests[0].RunId, [.. firsts], answers, cancellation);
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Key is { } key)
                answers[i] = answers[items.FindIndex(first => first.Key == key)];
        }
        return answers;
    }

    /// <summary>The run under way of an id.</summary>
    /// <exception cref="QStashException">400 when it is over, or there is none.</exception>
    public async ValueTask<Run> FindAsync(string runId, CancellationToken cancellation = default)
    {
        if (await index.FindAsync(runId, fresh: false, cancellation) is { } known && await runs.LiveAsync(known, cancellation) is { } run)
            return run;
        // The id may be another run's by now.
        return await index.FindAsync(runId, fresh: true, cancellation) is { } key && await runs.LiveAsync(key, cancellation) is { } renewed
            ? renewed
            : throw RunRules.Over();
    }

    /// <summary>Takes in one step of a run that the service itself brings, such as the end of a run that it invoked.</summary>
    public async ValueTask<MessageId> SubmitAsync(MessageId key, StepDraft item, CancellationToken cancellation = default)
    {
        var answers = new MessageId[1];
        return await TrySubmitAsync(key, [(0, item)], answers, cancellation) ? answers[0] : throw RunRules.Over();
    }

    private async ValueTask SubmitAsync(
        string runId, List<(int Index, StepDraft Item)> items, MessageId[] answers, CancellationToken cancellation)
    {
        var known = await index.FindAsync(runId, fresh: false, cancellation);
        if (known is { } key && await TrySubmitAsync(key, items, answers, cancellation))
            return;
        // The id may be another run's by now.
        if (await index.FindAsync(runId, fresh: true, cancellation) is not { } other || other == known
            || !await TrySubmitAsync(other, items, answers, cancellation))
            throw RunRules.Over();
    }

    // False when the run is over.
    private async ValueTask<bool> TrySubmitAsync(
        MessageId key, List<(int Index, StepDraft Item)> items, MessageId[] answers, CancellationToken cancellation)
    {
        var accepted = new List<Message>();
        var again = new List<MessageId>();
        var names = new Dictionary<int, string>();
        foreach (var (index, item) in items)
        {
            if (await runs.StoreAsync(key, item.Body, cancellation) is { } name)
                names[index] = name;
        }
        bool isTaken;
        try
        {
            isTaken = await SubmitAsync(key, items, answers, names, accepted, again, cancellation);
        }
        catch (QStashException)
        {
            await RemoveBodiesAsync(names.Values);
            throw;
        }
        finally
        {
            await admission.AcceptAsync(accepted);
        }
        // Of what was not taken in. When the store has failed nobody knows whether it was.
        await RemoveBodiesAsync(names.Values);
        foreach (var id in again)
            await admission.AcceptAgainAsync(id, CancellationToken.None);
        return isTaken;
    }

    private async ValueTask RemoveBodiesAsync(IEnumerable<string> names)
    {
        foreach (var name in names)
            await runs.RemoveBodyAsync(name, CancellationToken.None);
    }

    private async ValueTask<bool> SubmitAsync(
        MessageId key, List<(int Index, StepDraft Item)> submitted, MessageId[] answers, Dictionary<int, string> names, List<Message> accepted,
        List<MessageId> again, CancellationToken cancellation)
    {
        var items = submitted.ToList();
        using var turn = await turns.EnterAsync(key, cancellation);
        while (items.Count > 0)
        {
            if (await runs.LiveAsync(key, cancellation) is not { } run)
                return false;
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var drafts = items.Select((item, i) => Stored(item.Item.Make(run, now, i), names.GetValueOrDefault(item.Index))).ToList();
            RunChange change;
            try
            {
                // Of all of it, so that nothing is stored of what is too much.
                change = RunRules.Append(run, drafts, options.Workflows);
            }
            catch (QStashException refusal) when (refusal.Status == 412)
            {
                // What is there already takes no room.
                if (await TakeKnownAsync(drafts.Select(draft => draft.Step.Key)))
                    continue;
                throw;
            }
            var some = Fitting(run, drafts);
            if (some < drafts.Count)
                change = RunRules.Append(run, drafts[..some], options.Workflows);
            if (await runs.CommitAsync(run, change, admission.JoinsAtOnce, cancellation) is { } conflict)
            {
                // A number that the service gave to an item without one may be taken.
                if (conflict.Step is { } there && !await TakeKnownAsync([there]))
                    throw new QStashException(412, $"there is a step {there} already");
                continue;
            }
            for (var i = 0; i < some; i++)
            {
                answers[items[i].Index] = MessageId.Parse(drafts[i].Step.MessageId);
                names.Remove(items[i].Index);
            }
            accepted.AddRange(change.Messages);
            items.RemoveRange(0, some);
        }
        return true;

        async ValueTask<bool> TakeKnownAsync(IEnumerable<StepKey> steps)
        {
            var before = items.Count;
            foreach (var step in steps.ToList())
            {
                if (await runs.StepAsync(key, step, cancellation) is not { } known)
                    continue;
                var id = MessageId.Parse(known.MessageId);
                again.Add(id);
                foreach (var (i, _) in items.Where(item => item.Item.Key == step))
                    answers[i] = id;
                items.RemoveAll(item => item.Item.Key == step);
            }
            return items.Count < before;
        }
    }

    private static Submission Stored(Submission made, string? name) =>
        name is null ? made : made with { Step = made.Step with { Body = [], BodyName = name } };

    // How many of them one commit takes, the first in any case.
    private static int Fitting(Run run, List<Submission> drafts)
    {
        if (drafts.Count == 1)
            return 1;
        var (some, bytes) = (0, (long)RunSize.Of(run.Spec));
        foreach (var draft in drafts)
        {
            bytes += RunSize.Of(draft);
            if (some > 0 && (some == Together || bytes > TogetherBytes))
                break;
            some++;
        }
        return some;
    }
}
