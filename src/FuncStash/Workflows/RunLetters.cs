using System.Runtime.CompilerServices;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>A dead letter and the run that it is of.</summary>
public sealed record RunLetter(DeadLetter Letter, Run Run);

/// <summary>Dead letters of runs, and the id of the last of them when more follow.</summary>
public sealed record RunLetterPage(IReadOnlyList<RunLetter> Letters, string? Next);

/// <summary>Finds the dead letters of runs, and calls their failure functions anew (protocol#run-dead-letters).</summary>
public sealed class RunLetters(
    DeadLetterReader reader, DeadLetterStore letters, RunStore runs, RunIndex index, MessageStore messages, Cancellation cancellation,
    RunFailures failures, RunTurns turns, TimeProvider time)
{
    /// <summary>A letter of a run; null when there is none of that id.</summary>
    public async ValueTask<RunLetter?> GetAsync(DlqId id, CancellationToken stop = default) =>
        id.IsOfRun && await letters.GetAsync(id, stop) is { } letter ? await OfAsync(letter, stop) : null;

    // One that a settler wrote after all, too late, is none.
    private async ValueTask<RunLetter?> OfAsync(DeadLetter letter, CancellationToken stop) =>
        letter.Message.Run is { } part && await runs.GetAsync(part.Run, stop) is { Progress.IsLetterGone: false } run
        && run.Progress.DlqId == letter.Id.ToString()
            ? new RunLetter(letter, run)
            : null;

    /// <summary>Removes a letter for good; false when it was gone.</summary>
    /// <remarks>Its run says so first. Who was to write the letter may have been held up, and would write it anew.</remarks>
    public async ValueTask<bool> RemoveAsync(DlqId id, CancellationToken stop = default)
    {
        if (await GetAsync(id, stop) is not { } letter)
            return false;
        var (key, isMine) = (letter.Run.Key, false);
        using (await turns.EnterAsync(key, stop))
        {
            while (!isMine && await runs.GetAsync(key, stop) is { Progress.IsLetterGone: false } run)
            {
                var change = new RunChange(run with { Progress = run.Progress with { IsLetterGone = true } });
                isMine = await runs.CommitAsync(run, change, cancellation: stop) is null;
            }
        }
        if (isMine)
            await letters.RemoveAsync(id, CancellationToken.None);
        return isMine;
    }

    /// <summary>The payload of the run that a letter is of; empty once it was purged.</summary>
    public async ValueTask<byte[]> PayloadAsync(RunLetter letter, CancellationToken stop = default)
    {
        try
        {
            return await runs.StepAsync(letter.Run.Key, StepKey.Initial, stop) is { } initial ? await runs.BodyAsync(letter.Run.Key, initial, stop) : [];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    /// <summary>Lists letters, earliest first unless asked for otherwise.</summary>
    /// <param name="query">Which letters; its own filter bounds the time of failure.</param>
    /// <param name="filter">Of which runs.</param>
    /// <param name="stop">Stops the work.</param>
    public async ValueTask<RunLetterPage> ListAsync(DeadLetterQuery query, RunFilter filter, CancellationToken stop = default)
    {
        var found = new List<RunLetter>();
        await foreach (var letter in ReadAsync(query, filter, stop))
        {
            if (found.Count == query.Count)
                return new RunLetterPage(found, found[^1].Letter.Id.ToString());
            found.Add(letter);
        }
        return new RunLetterPage(found, null);
    }

    /// <summary>All that the query finds from its start on, read as they are asked for, without responses; its count says nothing.</summary>
    public async IAsyncEnumerable<RunLetter> ReadAsync(
        DeadLetterQuery query, RunFilter filter, [EnumeratorCancellation] CancellationToken stop = default)
    {
        if (query.Ids is { } ids)
        {
            foreach (var id in ids)
            {
                if (await GetAsync(id, stop) is { } letter)
                    yield return letter;
            }
            yield break;
        }
        if (filter.RunIds is { } named)
        {
            foreach (var letter in await NamedAsync(named, stop))
            {
                if (IsAsked(letter.Letter, query) && filter.IsWithin(letter.Letter.Id.FailedAt) && filter.Matches(letter.Run))
                    yield return letter;
            }
            yield break;
        }
        await foreach (var letter in reader.ReadAsync(query with { OfRuns = true }, stop))
        {
            if (filter.IsWithin(letter.Id.FailedAt) && await OfAsync(letter, stop) is { } found && filter.Matches(found.Run))
                yield return found;
        }
    }

    private static bool IsAsked(DeadLetter letter, DeadLetterQuery query) =>
        (query.After is not { } after || string.CompareOrdinal(letter.Id.ToString(), after.ToString()) > 0)
        && (query.ResponseStatuses.Count == 0 || query.ResponseStatuses.Contains(letter.ResponseStatus));

    private async ValueTask<IReadOnlyList<RunLetter>> NamedAsync(IEnumerable<string> ids, CancellationToken stop)
    {
        var found = new List<RunLetter>();
        foreach (var id in ids)
        {
            foreach (var key in await index.AllAsync(id, stop))
            {
                if (await runs.GetAsync(key, stop) is { Progress.DlqId: { } text } && await GetAsync(DlqId.Parse(text), stop) is { } letter)
                    found.Add(letter);
            }
        }
        return [.. found.OrderBy(letter => letter.Letter.Id.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>Calls the failure function of a run anew, whose call has failed.</summary>
    /// <exception cref="QStashException">400 unless the call has failed.</exception>
    public async ValueTask RetryFailureAsync(RunLetter letter, CancellationToken stop = default)
    {
        var key = letter.Run.Key;
        using (await turns.EnterAsync(key, stop))
        {
            while (await runs.GetAsync(key, stop) is { } run)
            {
                if (run.Progress.Failure is not { State: FailureState.Fail } failure)
                    throw QStashException.BadRequest("the failure function was not called, or its call has not failed");
                var times = failure.Times + 1;
                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                var id = key.Follower(FormattableString.Invariant($"failure|{times}"), now);
                var message = await AgainAsync(failure, id, now, stop) ?? await failures.CallAsync(run, letter.Letter, id);
                var after = new FailureFunction(id.Text, failure.Url, FailureState.InProgress, times);
                var change = new RunChange(run with { Progress = run.Progress with { Failure = after } }) { Messages = [message] };
                if (await runs.CommitAsync(run, change, cancellation: stop) is null)
                    return;
            }
        }
    }

    // Null once it is no longer kept: a letter is kept longer than the messages of its run.
    private async ValueTask<Message?> AgainAsync(FailureFunction failure, MessageId id, long now, CancellationToken stop)
    {
        try
        {
            return await messages.GetAsync(MessageId.Parse(failure.MessageId), stop) is { Message: { } last }
                ? last with { Id = id, NotBefore = now, Body = await messages.BodyAsync(last, stop), BodyName = null }
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Ends the call of a failure function that is under way.</summary>
    /// <exception cref="QStashException">400 when none is.</exception>
    public async ValueTask CancelFailureAsync(RunLetter letter, CancellationToken stop = default)
    {
        if (!await CancelFailureAsync(letter.Run.Key, null, stop))
            throw QStashException.BadRequest("no call of the failure function is under way");
    }

    /// <summary>Ends the call of a run's failure function, whichever it is or that of the message given. False when it is not under way.</summary>
    public async ValueTask<bool> CancelFailureAsync(MessageId key, MessageId? message, CancellationToken stop = default)
    {
        using (await turns.EnterAsync(key, stop))
        {
            while (await runs.GetAsync(key, stop) is { Progress.Failure: { State: FailureState.InProgress } failure } run
                && (message is not { } asked || asked.Text == failure.MessageId))
            {
                var change = new RunChange(run with { Progress = run.Progress with { Failure = failure with { State = FailureState.Canceled } } });
                if (await runs.CommitAsync(run, change, cancellation: stop) is not null)
                    continue;
                await cancellation.CancelAsync(MessageId.Parse(failure.MessageId), CancellationToken.None);
                return true;
            }
        }
        return false;
    }
}
