using System.Collections.Concurrent;
using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Signing;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Delivery;

/// <summary>One step of a delivery: load, stop if nothing is to be done, ask admission, attempt, settle.</summary>
/// <remarks>
/// At least once: a worker that dies between sending and settling leaves the message as it was, and the step is done
/// again. Two workers with the same message cannot both settle it, because settling replaces the row at its version.
/// </remarks>
public sealed class DeliveryService(
    MessageStore messages, DeadLetterStore deadLetters, Outbound outbound, Signer signer, SigningKeys keys,
    DestinationLanes lanes, AdmissionService admission, Gates gates, Cancellation cancellation, QueueProbe probe, FuncStashOptions options, TimeProvider time,
    Random random)
    : IDisposable
{
    // A slow attempt is written down as ACTIVE before it ends.
    private readonly SlowAttempts _slow = new(time);

    // A work-queue message can come twice; the second waits for the first.
    private readonly ConcurrentDictionary<MessageId, bool> _running = new();

    /// <summary>Does what a work-queue message asks for; null when its text means nothing.</summary>
    public async Task<StepResult?> RunAsync(string text, Lease? lease, CancellationToken stop = default)
    {
        switch (WorkItem.Parse(text))
        {
            case WorkItem.Deliver delivery:
                return await RunAsync(delivery.Ticket, lease, stop);
            case WorkItem.Probe probed:
                await probe.NoteAsync(probed.SentAt, stop);
                break;
            case WorkItem.WakeQueue wake:
                await gates.WakeAsync(GateKind.Queue, wake.Name, wake.At);
                break;
            case WorkItem.WakeFlowKey wake:
                await gates.WakeAsync(GateKind.FlowKey, wake.Key, wake.At);
                break;
            default:
                return null;
        }
        await messages.EndLeaseAsync(End(lease), stop);
        return StepResult.Done.Instance;
    }

    /// <summary>Does what is due for a message now.</summary>
    /// <param name="ticket">The message, and the number under which it was sent on its way.</param>
    /// <param name="lease">The work-queue lease to end with the step; null where the host ends it.</param>
    /// <param name="stop">Ends the attempt; the message then stays as it was.</param>
    public async Task<StepResult> RunAsync(DeliveryTicket ticket, Lease? lease, CancellationToken stop = default)
    {
        if (!_running.TryAdd(ticket.Id, true))
            return await AgainAsync(Now + 1000, lease, stop);
        try
        {
            return await StepAsync(ticket, lease, stop);
        }
        finally
        {
            _running.TryRemove(ticket.Id, out _);
        }
    }

    private async Task<StepResult> StepAsync(DeliveryTicket ticket, Lease? lease, CancellationToken stop)
    {
        var stored = await messages.GetAsync(ticket.Id, stop);
        if (stored is null || (ticket.Number < stored.Progress.Ticket && !stored.Ended))
        {
            await messages.EndLeaseAsync(End(lease), stop);
            return StepResult.Done.Instance;
        }
        if (stored.Ended)
        {
            await RepairAsync(stored, lease, stop);
            return StepResult.Done.Instance;
        }
        var governed = AdmissionService.Governs(stored.Message);
        // A worker that died after settling left its places taken.
        if (governed && stored.Progress.State == MessageState.Retry)
            await admission.LeaveAsync(stored);
        if (stored.Progress.DueAt > Now)
            return await AgainAsync(stored.Progress.DueAt, lease, stop);
        if (stored.Outbox.Count > 0)
            await messages.RepairAsync(stored, null, null, stop);
        if (governed && await admission.EnterAsync(stored) is var entry and not Entry.Admitted)
        {
            if (entry == Entry.QueueDeleted)
                await cancellation.CancelAsync(stored.Id, stop);
            await messages.EndLeaseAsync(End(lease), stop);
            return StepResult.Done.Instance;
        }
        if (lanes.TryEnter(stored.Message.Url) is not { } place)
        {
            var at = Now + DestinationLanes.Pause(Now - stored.Progress.DueAt, random.NextDouble());
            await messages.EndLeaseAsync(End(lease, at), stop);
            return new StepResult.Crowded(at);
        }
        using var span = DeliveryTracing.Start(stored);
        return await SettleAsync(await AttemptAsync(stored, place, stop), lease, stop);
    }

    private sealed record Attempt(StoredMessage Stored, byte[] Body, long StartedAt, AttemptOutcome Outcome);

    // The place is the destination's: it is free when the response has come, however long storing it takes.
    private async Task<Attempt> AttemptAsync(StoredMessage stored, DestinationLanes.Place place, CancellationToken stop)
    {
        var answered = true;
        try
        {
            var attempt = await AttemptAsync(stored, stop);
            answered = attempt.Outcome is AttemptOutcome.Response;
            return attempt;
        }
        finally
        {
            place.Leave(answered);
        }
    }

    private async Task<Attempt> AttemptAsync(StoredMessage stored, CancellationToken stop)
    {
        var message = stored.Message;
        // A mark left by an attempt that nobody settled.
        if (stored.Progress.ActiveSince is not null)
            stored = stored with { Progress = stored.Progress.WithoutMark() };
        var body = await messages.BodyAsync(message, stop);
        var pair = await keys.GetAsync(stop);
        var startedAt = Now;
        var signature = signer.Sign(pair.Current, message.Url, body);
        StoredMessage? active = null;
        var watch = _slow.Start(async () => active = await MarkActiveAsync(stored, startedAt, stop));
        AttemptOutcome outcome;
        try
        {
            outcome = await outbound.SendAsync(message, body, stored.Progress.Retried, signature, DeliveryTracing.Outgoing(message), stop);
        }
        finally
        {
            await watch.StopAsync();
        }
        return new Attempt(active ?? stored, body, startedAt, outcome);
    }

    private async Task<StepResult> SettleAsync(Attempt attempt, Lease? lease, CancellationToken stop)
    {
        var (stored, body, startedAt, outcome) = attempt;
        var now = time.GetUtcNow();
        var verdict = Verdict.Of(stored.Message, stored.Progress.Retried, outcome, now, random.NextDouble());
        var step = Settlement.Of(stored, body, startedAt, outcome, verdict, now.ToUnixTimeMilliseconds(), options);
        if (verdict is Verdict.Failed failed)
        {
            var letter = DeadLetter.Of(DlqId.Parse(step.After.DlqId!), stored.Message, outcome, failed.Error);
            step = step with { Also = await deadLetters.AddingAsync(letter, body, stop) };
        }
        step = DeliveryTracing.Settled(step, outcome);
        var retryAt = (verdict as Verdict.Retry)?.At;
        // From here on the step is finished whatever happens: the destination has had its attempt.
        var governed = AdmissionService.Governs(stored.Message);
        var after = await messages.ApplyAsync(stored, step, governed ? null : End(lease, retryAt), CancellationToken.None);
        // Nothing applied: cancelled meanwhile, or another worker was faster.
        if (governed && (after ?? await messages.GetAsync(stored.Id, CancellationToken.None)) is { } current)
            await admission.LeaveAsync(current);
        if (governed || after is null)
            await messages.EndLeaseAsync(after is null ? End(lease) : End(lease, retryAt), CancellationToken.None);
        if (after is not null)
            DeliveryMetrics.Settled(stored.Message, step, outcome, startedAt, now.ToUnixTimeMilliseconds());
        return after is not null && retryAt is { } at ? new StepResult.Again(at) : StepResult.Done.Instance;
    }

    private ValueTask<StoredMessage?> MarkActiveAsync(StoredMessage stored, long startedAt, CancellationToken stop)
    {
        var active = new LogEvent(stored.Id.Text, MessageState.Active, startedAt, stored.Progress.Events);
        var after = stored.Progress with
        {
            State = MessageState.Active,
            ActiveSince = startedAt,
            Events = stored.Progress.Events + 1,
        };
        return messages.ApplyAsync(stored, new Transition(after, [active]), cancellation: stop);
    }

    private async Task<StepResult> AgainAsync(long at, Lease? lease, CancellationToken stop)
    {
        await messages.EndLeaseAsync(End(lease, at), stop);
        return new StepResult.Again(at);
    }

    // The worker before may have died between settling and what belongs to it.
    private async ValueTask RepairAsync(StoredMessage stored, Lease? lease, CancellationToken stop)
    {
        Commit? also = null;
        if (DlqId.TryParse(stored.Progress.DlqId, out var dlqId) && await deadLetters.GetAsync(dlqId, stop) is null)
        {
            var outcome = await messages.LastOutcomeAsync(stored, stop);
            var letter = DeadLetter.Of(dlqId, stored.Message, outcome.Outcome, outcome.Error);
            also = await deadLetters.AddingAsync(letter, await messages.BodyAsync(stored.Message, stop), stop);
        }
        var governed = AdmissionService.Governs(stored.Message);
        await messages.RepairAsync(stored, also, governed ? null : End(lease), stop);
        if (!governed)
            return;
        await admission.LeaveAsync(stored);
        await messages.EndLeaseAsync(End(lease), stop);
    }

    public void Dispose() => _slow.Dispose();

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private LeaseEnd? End(Lease? lease, long? visibleAt = null)
    {
        if (lease is null)
            return null;
        if (visibleAt is not { } at)
            return new LeaseEnd(lease);
        var delay = TimeSpan.FromMilliseconds(Math.Max(0, at - Now));
        return new LeaseEnd(lease, delay > IWorkQueues.MaxDelay ? IWorkQueues.MaxDelay : delay);
    }
}
