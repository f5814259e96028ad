using System.Globalization;
using System.Text.Json;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>A wait as it is asked for (protocol#waits-and-events).</summary>
/// <param name="RunId">The run that waits.</param>
/// <param name="Event">For what.</param>
/// <param name="Url">Where the end of the wait is delivered to.</param>
/// <param name="Timeout">For how long at most, as given; null for the default.</param>
/// <param name="Settings">The publish settings of that delivery.</param>
/// <param name="Step">The step that waits, as JSON without a result.</param>
public sealed record WaitRequest(string RunId, string Event, string Url, string? Timeout, HeaderMap Settings, string Step);

/// <summary>Lets steps wait for events.</summary>
/// <remarks>
/// One message stands for both ends of a wait: it is due when the wait's time runs out, and made due at once by the event.
/// So there is one delivery whoever comes first, which the version of the run's row decides.
/// </remarks>
public sealed class RunWaits(
    RunStore runs, RunSubmissions submissions, RunTurns turns, WaiterIndex waiters, RunAdmission admission, RunCheck check,
    FuncStashOptions options, TimeProvider time)
{
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromDays(7);

    /// <exception cref="QStashException">400 when the run is over, 412 for a wait that it can never have.</exception>
    public async ValueTask<MessageId> WaitAsync(WaitRequest wait, CancellationToken cancellation = default)
    {
        var run = await submissions.FindAsync(wait.RunId, cancellation);
        var (step, request, timeout) = await ReadAsync(wait, cancellation);
        var isIndexed = false;
        using var turn = await turns.EnterAsync(run.Key, cancellation);
        try
        {
            while (await runs.LiveAsync(run.Key, cancellation) is { } now)
            {
                RunChange change;
                KeptEvent? taken;
                try
                {
                    (change, taken) = await ChangeAsync(now, wait, step, request, timeout, cancellation);
                }
                catch (InvalidDataException)
                {
                    // The same wait, submitted to another process, may have taken the event in between.
                    if (await runs.LiveAsync(run.Key, cancellation) is { } after && after.Progress.Events.SequenceEqual(now.Progress.Events))
                        throw;
                    continue;
                }
                // Before the wait, so that whoever notifies after it finds it.
                if (taken is null && !isIndexed)
                {
                    await waiters.AddAsync(wait.Event, run.Key, step.Id, cancellation);
                    isIndexed = true;
                }
                var conflict = await runs.CommitAsync(now, change, admission.JoinsAtOnce, cancellation);
                if (conflict is null)
                {
                    await AcceptedAsync(run.Key, wait, step, change, taken, isIndexed);
                    return change.Messages[0].Id;
                }
                // Submitted once more.
                if (conflict.Step is { } there && await runs.StepAsync(run.Key, there, cancellation) is { } known)
                    return await KnownAsync(run.Key, wait, step, MessageId.Parse(known.MessageId), cancellation);
            }
            throw RunRules.Over();
        }
        catch (QStashException) when (isIndexed)
        {
            await ForgetAsync(run.Key, wait, step, CancellationToken.None);
            throw;
        }
    }

    private async ValueTask AcceptedAsync(
        MessageId run, WaitRequest wait, StepText step, RunChange change, KeptEvent? taken, bool isIndexed)
    {
        await admission.AcceptAsync(change.Messages);
        if (taken is null)
            return;
        // It was not there when the index was told of the wait.
        if (isIndexed)
            await waiters.RemoveAsync(wait.Event, run, step.Id, CancellationToken.None);
    }

    private async ValueTask<MessageId> KnownAsync(
        MessageId run, WaitRequest wait, StepText step, MessageId message, CancellationToken cancellation)
    {
        await admission.AcceptAgainAsync(message, cancellation);
        await ForgetAsync(run, wait, step, cancellation);
        return message;
    }

    // It was told of a wait that was not stored, or is over.
    private async ValueTask ForgetAsync(MessageId run, WaitRequest wait, StepText step, CancellationToken cancellation)
    {
        if (await runs.LiveAsync(run, cancellation) is not { } now || !now.Progress.Waits.Contains(new OpenWait(wait.Event, step.Id)))
            await waiters.RemoveAsync(wait.Event, run, step.Id, cancellation);
    }

    private async ValueTask<(RunChange Change, KeptEvent? Taken)> ChangeAsync(
        Run run, WaitRequest wait, StepText step, RunRequest request, TimeSpan timeout, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var (key, result) = (new StepKey(step.Id, StepKind.Wait), StepKey.Result(step.Id));
        var id = run.Key.Follower(key.ToString(), now);
        var deadline = now + DurationText.Milliseconds(timeout);
        var message = RunMessages.Step(run, result, id, request) with { NotBefore = Math.Max(deadline, id.CreatedAt + 1) }; // it ends when it is due (RunDeliveries)
        var entry = new RunStep(key, id.Text, now)
        {
            Concurrent = step.Concurrent,
            Detail = new StepDetail
            {
                Name = step.Name, Type = step.Type, Step = wait.Step, Url = wait.Url, Event = wait.Event,
                Deadline = deadline, Timeout = wait.Timeout, Settings = wait.Settings,
            },
        };
        if (run.Progress.Events.FirstOrDefault(e => e.Event == wait.Event) is not { } stored)
            return (RunRules.Wait(run, entry, message, options.Workflows), null);
        var kept = await runs.EventAsync(run.Key, stored, cancellation);
        var body = EventStep.Happened(wait.Step, wait.Event, kept.Data);
        var taken = new RunStep(result, id.Text, now) { Concurrent = step.Concurrent, Body = body, Size = body.Length };
        return (RunRules.Take(run, entry, taken, message with { NotBefore = id.CreatedAt }, kept), kept);
    }

    private async ValueTask<(StepText Step, RunRequest Request, TimeSpan Timeout)> ReadAsync(WaitRequest wait, CancellationToken cancellation)
    {
        var step = StepText.TryRead(System.Text.Encoding.UTF8.GetBytes(wait.Step));
        if (step is not { Id: > 0 and <= StepKey.MaxId })
            throw Refused("step has no stepId");
        if (System.Text.Encoding.UTF8.GetByteCount(wait.Event) > RunEvents.MaxNameBytes)
            throw Refused($"the event's name has more than {RunEvents.MaxNameBytes} bytes");
        var timeout = DefaultTimeout;
        if (wait.Timeout is { } text && !DurationText.TryParse(text, out timeout))
            throw Refused($"invalid timeout: {text}");
        if (timeout > options.MaxDelay)
            throw Refused($"invalid timeout: {wait.Timeout}: at most {options.MaxDelay.TotalDays.ToString("0", CultureInfo.InvariantCulture)} days");
        var request = RequestOf(wait);
        await check.PartAsync(request, cancellation);
        return (step, request, timeout);
    }

    private RunRequest RequestOf(WaitRequest wait)
    {
        try
        {
            var settings = PublishSettingsReader.Parse(wait.Settings, options);
            return new RunRequest(new PublishRequest(wait.Url, settings, []), settings.Workflow);
        }
        catch (QStashException refusal)
        {
            throw Refused(refusal.Message);
        }
    }

    // To a run under way 400 would say that it is over.
    private static QStashException Refused(string reason) => new(412, $"invalid wait: {reason}");
}

/// <summary>The results that the end of a wait gives its step.</summary>
internal static class EventStep
{
    /// <summary>The event has come, with data or without any.</summary>
    public static byte[] Happened(string step, string name, byte[] data) =>
        StepText.WithResult(step, data.Length == 0 ? null : Convert.ToBase64String(data), json => json.WriteString("waitEventId", name));

    /// <summary>Its time ran out.</summary>
    public static byte[] TimedOut(string step, string name) => StepText.WithResult(step, null, json =>
    {
        json.WriteString("waitEventId", name);
        json.WriteBoolean("waitTimeout", true);
    });
}
