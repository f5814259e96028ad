using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Signing;
using FuncStash.Storage;
using FuncStash.Telemetry;
using FuncStash.Waiting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Delivery;

/// <summary>One step of a delivery: load, stop if nothing is to be done, ask admission, attempt, settle.</summary>
/// <remarks>
/// At least once: a worker that dies between sending and settling leaves the message as it was, and the step is done
/// again. Two workers with the same message cannot both settle it, because settling replaces the row at its version.
/// </remarks>
public sealed partial class DeliveryService(
    MessageStore messages, Outbound outbound, Signer signer, SigningKeys keys, DestinationLanes lanes, AdmissionService admission,
    Gates gates, Cancellation cancellation, Settler settler, StepFailures failures, QueueProbe probe, TicketsInDoubt doubts,
    Presence presence, IRunDeliveries runs, FuncStashOptions options, TimeProvider time, Random random, ILogger<DeliveryService> log)
    : IDisposable
{
    // A queue that counts whole seconds gives a message up to one early.
    private const long InPlaceMs = 2_000;

    // A slow attempt is written down as ACTIVE before it ends.
    private readonly SlowAttempts _slow = new(time);

    // It is so for every message then.
    private readonly Seldom _limitTold = new(time, TimeSpan.FromSeconds(10));

    /// <summary>Does what a work-queue message asks for; null when its text means nothing.</summary>
    public async Task<StepResult?> RunAsync(string text, Lease? lease, CancellationToken stop = default)
    {
        switch (WorkItem.Parse(text))
        {
            case WorkItem.Deliver delivery:
                return await RunAsync(delivery, lease, stop);
            case WorkItem.Probe probed:
                await probe.NoteAsync(lease?.Queue ?? WorkItem.Queue, probed.SentAt, stop);
                break;
            case WorkItem.Recover lost:
                if (await doubts.LookAgainAsync(lost, stop) is { } later)
                    return await AgainAsync(later, lease, stop);
                break;
            case WorkItem.WakeQueue wake:
                await gates.WakeAsync(GateKind.Queue, wake.Name, wake.At);
                break;
            case WorkItem.WakeFlowKey wake:
                await gates.WakeAsync(GateKind.FlowKey, wake.Key, wake.At);
                break;
            case WorkItem.SettleRun run:
                await runs.SettleAsync(run.Key, stop);
                break;
            case WorkItem.RouseRun run:
                await runs.RouseAsync(run.Key, stop);
                break;
            default:
                return null;
        }
        await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
        return StepResult.Done.Instance;
    }

    /// <summary>Does what is due for a message now.</summary>
    /// <param name="ticket">The message, and the number under which it was sent on its way.</param>
    /// <param name="lease">The work-queue lease to end with the step; null where there is none.</param>
    /// <param name="stop">Ends the attempt; the message then stays as it was.</param>
    public Task<StepResult> RunAsync(DeliveryTicket ticket, Lease? lease, CancellationToken stop = default) =>
        RunAsync(new WorkItem.Deliver(ticket), lease, stop);

    private async Task<StepResult> RunAsync(WorkItem.Deliver delivery, Lease? lease, CancellationToken stop)
    {
        // Before the message is read, for until the attempt it may be cancelled. A lease is kept for the next attempt, whatever its text says.
        if (lease is HostLease && delivery.DueAt is { } dueAt && !await ComesAsync(dueAt, stop))
            return await AgainAsync(dueAt, lease, stop);
        var ticket = delivery.Ticket;
        // A work-queue message can come twice; the second waits for the first.
        if (!await presence.TakeSoonAsync(ticket.Id))
            return await AgainAsync(Now + 1000, lease, stop);
        try
        {
            await presence.ShowAsync(stop);
            return await StepAsync(delivery, lease, stop);
        }
        catch (Exception error) when (failures.Concerns(error))
        {
            return await failures.HandleAsync(ticket.Id, error, lease, stop);
        }
        finally
        {
            presence.Leave(ticket.Id);
        }
    }

    // Waits for a time that is near; false when it is not.
    private async Task<bool> ComesAsync(long dueAt, CancellationToken stop)
    {
        // More than once, because a timer may go off a trifle early.
        for (var i = 0; i < 3 && dueAt - Now is > 0 and <= InPlaceMs and var left; i++)
            await Task.Delay(TimeSpan.FromMilliseconds(left), time, stop);
        return dueAt <= Now;
    }

    private async Task<StepResult> StepAsync(WorkItem.Deliver delivery, Lease? lease, CancellationToken stop)
    {
        var stored = await messages.GetAsync(delivery.Ticket.Id, stop);
        var standing = stored is null ? TicketStanding.Orphan : TicketRules.Of(delivery, stored.Progress, lease is HostLease);
        if (stored is null || standing == TicketStanding.Orphan || (standing == TicketStanding.Stale && !stored.Ended))
        {
            await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
            return StepResult.Done.Instance;
        }
        if (stored.Ended)
        {
            await settler.RepairAsync(stored, lease, stop);
            return StepResult.Done.Instance;
        }
        var governed = AdmissionService.Governs(stored.Message);
        // A worker that died after settling left its places taken.
        if (governed && stored.Progress.State == MessageState.Retry)
            await admission.LeaveAsync(stored);
        if (standing == TicketStanding.Doubtful)
            return await DoubtAsync(stored, lease, stop);
        if (!stored.IsDue(Now))
            return await EarlyAsync(delivery, stored, lease, stop);
        await messages.WriteEventsAsync(stored, stop);
        var run = stored.Message.Run is null ? null : await runs.FindAsync(stored, stop);
        if (stored.Message.Run is not null && run is null)
        {
            await DropAsync(stored.Id, lease, stop);
            return StepResult.Done.Instance;
        }
        if (governed && await admission.EnterAsync(stored) is var entry and not Entry.Admitted)
        {
            if (entry == Entry.QueueDeleted)
                await cancellation.CancelAsync(stored.Id, stop);
            await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
            return StepResult.Done.Instance;
        }
        if (await lanes.EnterAsync(stored.Message.Url, stop) is not { } place)
            return await MakeWayAsync(stored, lease, stop);
        using var span = DeliveryTracing.Start(stored);
        Attempt attempt;
        try
        {
            attempt = await AttemptAsync(stored, run, place, stop);
        }
        catch (OwnLimitException limit)
        {
            if (_limitTold.IsTurn())
                LogOwnLimit(log, limit.Message);
            return await MakeWayAsync(stored, lease, stop);
        }
        Settled settled;
        try
        {
            settled = await settler.StoreAsync(attempt, lease, stop);
        }
        catch (Exception error) when (failures.Concerns(error))
        {
            // Not counted and done again, for then it would be sent again.
            return await failures.GiveUpAsync(stored.Id, error, lease, stop);
        }
        return await settler.FinishAsync(settled, lease) ?? await StepAsync(delivery, lease, stop);
    }

    // For those that are under way; it is no attempt.
    private async Task<StepResult> MakeWayAsync(StoredMessage stored, Lease? lease, CancellationToken stop)
    {
        var at = Now + DestinationLanes.Pause(Now - stored.Progress.DueAt, random.NextDouble());
        await messages.EndLeaseAsync(LeaseEnd.Of(lease, Now, at), stop);
        return new StepResult.Crowded(at);
    }

    // The place is the destination's: it is free when the response has come, however long storing it takes.
    private async Task<Attempt> AttemptAsync(StoredMessage stored, RunDelivery? run, DestinationLanes.Place place, CancellationToken stop)
    {
        var answered = true;
        try
        {
            var attempt = await AttemptAsync(stored, run, stop);
            answered = attempt.Outcome is AttemptOutcome.Response;
            return attempt;
        }
        finally
        {
            place.Leave(answered);
        }
    }

    private async Task<Attempt> AttemptAsync(StoredMessage stored, RunDelivery? run, CancellationToken stop)
    {
        // A mark left by an attempt that nobody settled.
        if (stored.Progress.ActiveSince is not null)
            stored = stored with { Progress = stored.Progress.WithoutMark() };
        if (await RequestAsync(stored, run, stop) is not var (message, body))
            return Attempt.Needless(stored, run!, Now);
        var pair = await keys.GetAsync(stop);
        var startedAt = Math.Max(Now, message.CreatedAt);
        var signature = signer.Sign(pair.Current, message.Url, body);
        StoredMessage? active = null;
        var watch = _slow.Start(async () => active = await TryMarkActiveAsync(stored, startedAt, stop));
        AttemptOutcome outcome;
        try
        {
            outcome = await outbound.SendAsync(
                message, body, stored.Progress.Retried, signature, DeliveryTracing.Outgoing(message), run?.ResponseBytes ?? options.MaxBodyBytes, stop);
        }
        finally
        {
            await watch.StopAsync();
        }
        return new Attempt(active ?? stored, body, startedAt, run?.Seen(outcome) ?? outcome) { Run = run };
    }

    private async ValueTask<(Message Message, byte[] Body)?> RequestAsync(StoredMessage stored, RunDelivery? run, CancellationToken stop) =>
        run is null ? (stored.Message, await messages.BodyAsync(stored.Message, stop)) : await run.RequestAsync(stop);

    // Nothing depends on the mark; should it be stored although it seemed to fail, the settlement comes upon it.
    private async Task<StoredMessage?> TryMarkActiveAsync(StoredMessage stored, long startedAt, CancellationToken stop)
    {
        try
        {
            return await MarkActiveAsync(stored, startedAt, stop);
        }
        catch (Exception error)
        {
            LogNotMarked(log, error, stored.Id.Text);
            return null;
        }
    }

    // It may have been let in by its gate, so its place is given back as that of any message found ended.
    private async ValueTask DropAsync(MessageId id, Lease? lease, CancellationToken stop)
    {
        await cancellation.CancelAsync(id, stop);
        if (await messages.GetAsync(id, stop) is { } ended)
            await settler.RepairAsync(ended, lease, stop);
        else
            await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
    }

    private ValueTask<StoredMessage?> MarkActiveAsync(StoredMessage stored, long startedAt, CancellationToken stop)
    {
        var active = new LogEvent(stored.Id.Text, MessageState.Active, startedAt, stored.Progress.Events);
        var after = stored.Progress with
        {
            State = MessageState.Active,
            ActiveSince = startedAt,
            ActiveBy = presence.Name,
            Events = stored.Progress.Events + 1,
        };
        return messages.ApplyAsync(stored, new Transition(after, [active]), cancellation: stop);
    }

    // By a clock that is ahead, or a lease that ended before its time.
    private async Task<StepResult> EarlyAsync(WorkItem.Deliver delivery, StoredMessage stored, Lease? lease, CancellationToken stop)
    {
        var dueAt = stored.Progress.DueAt;
        if (await ComesAsync(dueAt, stop))
            return await StepAsync(delivery, lease, stop);
        if (lease is HostLease && dueAt > Now + Clocks.SkewMs)
            return await DoubtAsync(stored, lease, stop);
        await messages.RecoverFollowersAsync(stored, stop);
        return await AgainAsync(dueAt, lease, stop);
    }

    // A host's message that comes once more was left by a worker that died after it had settled an attempt, or belongs to a
    // step whose storing failed. Whether the next attempt was sent for is not known.
    private async Task<StepResult> DoubtAsync(StoredMessage stored, Lease? lease, CancellationToken stop)
    {
        await messages.RecoverFollowersAsync(stored, stop);
        if (await doubts.TrySettleAsync(stored, stop))
        {
            await messages.EndLeaseAsync(LeaseEnd.Of(lease), stop);
            return StepResult.Done.Instance;
        }
        await doubts.ProbeAsync(stop);
        return await AgainAsync(Now + (long)TicketsInDoubt.Pause.TotalMilliseconds, lease, stop);
    }

    private async Task<StepResult> AgainAsync(long at, Lease? lease, CancellationToken stop)
    {
        await messages.EndLeaseAsync(LeaseEnd.Of(lease, Now, at), stop);
        return new StepResult.Again(at);
    }

    public void Dispose() => _slow.Dispose();

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Warning, Message = "that the attempt of {Message} takes long could not be stored")]
    private static partial void LogNotMarked(ILogger log, Exception error, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "attempts have to wait: {Reason}")]
    private static partial void LogOwnLimit(ILogger log, string reason);
}
