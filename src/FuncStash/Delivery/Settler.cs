using System.Diagnostics.CodeAnalysis;
using FuncStash.Admission;
using FuncStash.DeadLetters;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using Microsoft.Extensions.Logging;

namespace FuncStash.Delivery;

/// <summary>Stores what attempts brought. What was sent is settled: the destination has had its attempt, whatever happens here.</summary>
/// <remarks>
/// While the store is in trouble the outcome is held on to (<see cref="FuncStashOptions.SettlingTime"/>). Where the row has
/// changed meanwhile, by a mark or a new ticket, the outcome goes on top of the change; only an end, or the outcome of the
/// same attempt by another worker, comes before it. What belongs to it in a workflow run is made anew when the run has changed.
/// </remarks>
public sealed partial class Settler(
    MessageStore messages, DeadLetterStore deadLetters, AdmissionService admission, IRunDeliveries runs, IStore store,
    StoreTrouble trouble, FuncStashOptions options, TimeProvider time, Random random, ILogger<Settler> log)
{
    private const int FirstPauseMs = 50, LongestPauseMs = 5_000;

    // Payloads that were put so long ago may be taken for nobody's: the next try puts them anew.
    private static readonly TimeSpan s_placed = BodyName.Unnamed / 2;

    // How often a run may change in a row between being read and written.
    private const int MostChanges = 100;

    /// <summary>Stores an attempt's outcome, the log events and callbacks that follow from it, and the dead letter.</summary>
    internal Task<Settled> StoreAsync(Attempt attempt, Lease? lease, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var verdict = Verdict.Of(attempt.Stored.Message, attempt.Stored.Progress.Retried, attempt.Outcome, now, random.NextDouble());
        return StoreAsync(new Step(attempt, verdict, now.ToUnixTimeMilliseconds()), lease, stop);
    }

    /// <summary>Makes a dead letter of a message that the service itself fails at, for the reason given; its workflow run fails.</summary>
    internal async Task<Settled> FailAsync(StoredMessage stored, string reason, Lease? lease, CancellationToken stop)
    {
        // It may be what the service fails at.
        var body = await TryReadBodyAsync(stored, stop);
        var attempt = new Attempt(stored, body ?? [], Now, new AttemptOutcome.NoResponse(reason))
        {
            Run = stored.Message.Run is null ? null : runs.Failing(stored, hasCallbacks: true),
            IsJudged = false,
        };
        var step = new Step(attempt, new Verdict.Failed(reason), Now) { HasBody = body is not null };
        try
        {
            return await StoreAsync(step, lease, stop);
        }
        catch (Exception error) when (IsLasting(error))
        {
            LogNoCallbacks(log, error, stored.Id.Text);
            attempt = attempt with { Run = attempt.Run is null ? null : runs.Failing(stored, hasCallbacks: false) };
            return await StoreAsync(step with { Attempt = attempt, HasCallbacks = false }, lease, stop);
        }
    }

    /// <summary>Gives back what the attempt no longer needs, and ends its lease.</summary>
    /// <returns>Null for <see cref="Settled.Unknown"/>.</returns>
    internal async Task<StepResult?> FinishAsync(Settled settled, Lease? lease)
    {
        switch (settled)
        {
            case Settled.Done(var after, var retryAt, var run):
                if (AdmissionService.Governs(after.Message))
                {
                    await admission.LeaveAsync(after);
                    if (lease is not HostLease)
                        await messages.EndLeaseAsync(LeaseEnd.Of(lease, Now, retryAt), CancellationToken.None);
                }
                if (run is not null)
                    await run.SettledAsync();
                return retryAt is { } at ? new StepResult.Again(at) : StepResult.Done.Instance;
            case Settled.Overtaken(var current):
                if (current is not null && AdmissionService.Governs(current.Message))
                    await admission.LeaveAsync(current);
                await messages.EndLeaseAsync(LeaseEnd.Of(lease), CancellationToken.None);
                return StepResult.Done.Instance;
            default:
                return null;
        }
    }

    /// <summary>Does what belongs to a message's end: the worker before may have died before it did.</summary>
    public async ValueTask RepairAsync(StoredMessage stored, Lease? lease, CancellationToken stop)
    {
        DeadLetterAddition? letter = null;
        if (stored.Message.Run is { } part)
            await runs.SettleAsync(part.Run, stop);
        if (DlqId.TryParse(stored.Progress.DlqId, out var dlqId) && await deadLetters.GetAsync(dlqId, stop) is null)
        {
            var outcome = await messages.LastOutcomeAsync(stored, stop);
            letter = await deadLetters.AddingAsync(
                DeadLetter.Of(dlqId, stored.Message, outcome.Outcome, outcome.Error), await TryReadBodyAsync(stored, stop), stop);
        }
        var governed = AdmissionService.Governs(stored.Message);
        await messages.RepairAsync(stored, letter?.Commit, governed ? null : LeaseEnd.Of(lease), stop);
        if (letter is not null)
            await deadLetters.RemoveUnusedAsync(letter, stop);
        if (!governed)
            return;
        await admission.LeaveAsync(stored);
        await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
    }

    private async ValueTask<byte[]?> TryReadBodyAsync(StoredMessage stored, CancellationToken stop)
    {
        try
        {
            return await messages.BodyAsync(stored.Message, stop);
        }
        catch (Exception error) when (IsLasting(error))
        {
            LogNoPayload(log, error, stored.Id.Text);
            return null;
        }
    }

    /// <param name="Now">When the outcome was there, in unix milliseconds.</param>
    private sealed record Step(Attempt Attempt, Verdict Verdict, long Now)
    {
        public bool HasBody { get; init; } = true;

        public bool HasCallbacks { get; init; } = true;
    }

    private async Task<Settled> StoreAsync(Step what, Lease? lease, CancellationToken stop)
    {
        var ((stored, body, startedAt, outcome), verdict, now) = what;
        var (run, isJudged, changes) = (what.Attempt.Run, !what.Attempt.IsJudged, 0);
        var (began, tries, retried) = (time.GetTimestamp(), 0, stored.Progress.Retried);
        var placed = began;
        var (first, ofRun, followers, letter) = ((Transition?)null, (Transition?)null, new List<Message>(), (DeadLetterAddition?)null);
        // A governed message gives its places back first; whoever comes with another ticket meanwhile does it, too.
        var leaseEnd = AdmissionService.Governs(stored.Message) && lease is not HostLease ? null : lease;
        while (true)
        {
            try
            {
                if (run is not null && !isJudged)
                    (verdict, isJudged) = (await run.JudgeAsync(outcome, verdict, CancellationToken.None), true);
                var retryAt = (verdict as Verdict.Retry)?.At;
                var step = Settlement.Of(
                    what.HasCallbacks ? stored : WithoutCallbacks(stored), body, startedAt, outcome, verdict, now, options);
                // The same dead letter and callbacks, with the same payloads, however often it is tried.
                first ??= DeliveryTracing.Settled(step, outcome);
                // Of a run too, until the run or the message is found to have changed.
                if (run is not null)
                    ofRun ??= await run.SettleAsync(stored, outcome, verdict, step with { Followers = first.Followers });
                step = ofRun ?? step with { After = step.After with { DlqId = first.After.DlqId }, Followers = first.Followers };
                while (followers.Count < step.Followers.Count)
                    followers.Add(await messages.PlaceAsync(step.Followers[followers.Count], CancellationToken.None));
                step = step with { Followers = followers };
                if (verdict is Verdict.Failed failed && run is null)
                {
                    letter ??= await deadLetters.AddingAsync(
                        DeadLetter.Of(DlqId.Parse(step.After.DlqId!), stored.Message, outcome, failed.Error),
                        what.HasBody ? body : null, CancellationToken.None);
                    step = step with { Also = letter.Commit };
                }
                if (await messages.ApplyAsync(stored, step, LeaseEnd.Of(leaseEnd, Now, retryAt), CancellationToken.None) is { } after)
                {
                    DeliveryMetrics.Settled(stored.Message, step, outcome, startedAt, now);
                    return new Settled.Done(after, retryAt, run);
                }
                var current = await messages.GetAsync(stored.Id, CancellationToken.None);
                if (IsOpen(current))
                {
                    var isUnchanged = current.ETag == stored.ETag;
                    if (isUnchanged && (run is null || ++changes > MostChanges))
                        throw new InvalidOperationException("what belongs to the outcome is there already");
                    if (!isUnchanged)
                        stored = await CaughtUpAsync(current, startedAt);
                    if (run is null)
                        continue;
                    // No try so far can be applied any more: each names a version that is gone.
                    var unused = followers;
                    (ofRun, followers) = (null, []);
                    await RemoveUnusedAsync(unused);
                    continue;
                }
                if (tries > 0)
                    return new Settled.Unknown();
                if (letter is not null)
                    await deadLetters.RemoveUnusedAsync(letter, CancellationToken.None);
                await RemoveUnusedAsync(followers);
                return new Settled.Overtaken(current);
            }
            catch (Exception fault) when (IsPassing(fault) && HasTimeSince(began))
            {
                if (store.IsFault(fault))
                    trouble.Note(fault);
                LogHeldOn(log, fault, stored.Id.Text);
                var pause = Math.Min(LongestPauseMs, FirstPauseMs << Math.Min(tries++, 10));
                await Task.Delay(TimeSpan.FromMilliseconds(pause), time, stop);
                // Not removed: one of the tries may have been done after all.
                if (time.GetElapsedTime(placed) > s_placed)
                    (placed, ofRun, followers, letter) = (time.GetTimestamp(), null, [], null);
            }
            catch (Exception error) when (IsLasting(error))
            {
                // The outcome itself may stand, and what failed is what belongs to it.
                if (IsOpen(await messages.GetAsync(stored.Id, CancellationToken.None)))
                    throw;
                LogStoredInPart(log, error, stored.Id.Text);
                return new Settled.Unknown();
            }
        }

        bool IsOpen([NotNullWhen(true)] StoredMessage? current) =>
            current is { Ended: false } && current.Progress.Retried == retried;
    }

    private async ValueTask RemoveUnusedAsync(List<Message> followers)
    {
        foreach (var follower in followers)
            await messages.RemoveUnusedAsync(follower, CancellationToken.None);
    }

    // A message that has changed while its attempt was in flight: by the mark of this one, or of a worker that died.
    private async ValueTask<StoredMessage> CaughtUpAsync(StoredMessage current, long startedAt)
    {
        await messages.WriteEventsAsync(current, CancellationToken.None);
        return current.Progress.ActiveSince is { } since && since != startedAt
            ? current with { Progress = current.Progress.WithoutMark() }
            : current;
    }

    /// <summary>Whether an error comes again with the next try: it is not of a storage or a host in trouble, nor of the end of the process.</summary>
    internal bool IsLasting(Exception error) =>
        error is not (OutOfMemoryException or OperationCanceledException) && !store.IsFault(error);

    // A closed store opens no more in this process.
    private bool IsPassing(Exception error) =>
        error is OutOfMemoryException || (store.IsFault(error) && error is not ObjectDisposedException);

    private bool HasTimeSince(long began) =>
        options.SettlingTime == Timeout.InfiniteTimeSpan || time.GetElapsedTime(began) < options.SettlingTime;

    // They stay written in its row.
    private static StoredMessage WithoutCallbacks(StoredMessage stored) =>
        stored with { Message = stored.Message with { Callback = null, FailureCallback = null } };

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "the outcome of {Message} could not be stored and is tried again")]
    private static partial void LogHeldOn(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "the outcome of {Message} is stored, what belongs to it is not and is done again")]
    private static partial void LogStoredInPart(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "the payload of {Message} cannot be read")]
    private static partial void LogNoPayload(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "the callbacks of {Message} cannot be made")]
    private static partial void LogNoCallbacks(ILogger log, Exception error, string message);
}
