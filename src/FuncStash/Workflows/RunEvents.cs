using System.Runtime.CompilerServices;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Workflows;

/// <summary>A wait that an event has ended.</summary>
/// <param name="Run">The run.</param>
/// <param name="Wait">Its entry of the wait.</param>
/// <param name="Message">The message that brings the event to its endpoint.</param>
public sealed record Notified(Run Run, RunStep Wait, MessageId Message);

/// <summary>A wait that is open.</summary>
public sealed record Waiter(Run Run, RunStep Wait);

/// <summary>Brings events to the steps that wait for them (protocol#waits-and-events).</summary>
public sealed class RunEvents(
    RunStore runs, RunIndex index, RunTurns turns, WaiterIndex waiters, MessageStore messages, RunFailures failures,
    FuncStashOptions options, TimeProvider time)
{
    /// <summary>The longest name of an event, in bytes of UTF-8.</summary>
    public const int MaxNameBytes = 512;

    private const int SideBySide = 16;

    /// <summary>Ends all waits for an event, and tells of each when it has. Where nobody waits, it is lost.</summary>
    public IAsyncEnumerable<Notified> NotifyAsync(string name, byte[] data, CancellationToken cancellation = default)
    {
        Check(name, data);
        return EachAsync(name, entry => NotifyAsync(entry, name, data, cancellation), cancellation);
    }

    // Some at a time: of an event that many wait for they are not all held.
    private async IAsyncEnumerable<T> EachAsync<T>(
        string name, Func<WaiterEntry, ValueTask<T?>> act, [EnumeratorCancellation] CancellationToken cancellation)
        where T : class
    {
        await foreach (var page in waiters.PagesAsync(name, cancellation))
        {
            foreach (var some in page.Chunk(SideBySide))
            {
                foreach (var result in await Task.WhenAll(some.Select(entry => act(entry).AsTask())))
                {
                    if (result is not null)
                        yield return result;
                }
            }
        }
    }

    /// <summary>Ends a run's wait for an event, or keeps the event for its wait to come.</summary>
    /// <returns>The wait that was ended; null when the event is kept.</returns>
    /// <exception cref="QStashException">404 when there is no such run under way.</exception>
    public async ValueTask<Notified?> NotifyAsync(string runId, string name, byte[] data, CancellationToken cancellation = default)
    {
        Check(name, data);
        return await CallAsync(runId, name, _ => data, cancellation);
    }

    /// <summary>The same, with data that depend on what the run's endpoint knows the service by.</summary>
    public async ValueTask<Notified?> CallAsync(string runId, string name, Func<string?, byte[]> describe, CancellationToken cancellation = default)
    {
        if (await index.FindAsync(runId, fresh: true, cancellation) is not { } key)
            throw RunRules.NotFound(runId);
        using (await turns.EnterAsync(key, cancellation))
        {
            while (await runs.LiveAsync(key, cancellation) is { } run)
            {
                var data = describe(run.Progress.HookBase);
                if (run.Progress.Waits.FirstOrDefault(wait => wait.Event == name) is { } wait)
                {
                    if (await ResolveAsync(run, wait, data, cancellation) is { } notified)
                        return notified;
                    continue;
                }
                var change = RunRules.Keep(run, name, data, options.Workflows);
                if (await runs.CommitAsync(run, change, cancellation: cancellation) is null)
                    return null;
            }
        }
        throw RunRules.NotFound(runId);
    }

    /// <summary>The waits for an event, with their runs.</summary>
    public IAsyncEnumerable<Waiter> WaitersAsync(string name, CancellationToken cancellation = default) =>
        EachAsync(name, entry => FindAsync(entry, name, cancellation), cancellation);

    private async ValueTask<Waiter?> FindAsync(WaiterEntry entry, string name, CancellationToken cancellation)
    {
        if (await runs.LiveAsync(entry.Run, cancellation) is { } run && run.Progress.Waits.Contains(new OpenWait(name, entry.Step))
            && await runs.StepAsync(entry.Run, new StepKey(entry.Step, StepKind.Wait), cancellation) is { } wait)
            return new Waiter(run, wait);
        if (entry.IsOld)
            await waiters.RemoveAsync(name, entry.Run, entry.Step, cancellation);
        return null;
    }

    private async ValueTask<Notified?> NotifyAsync(WaiterEntry entry, string name, byte[] data, CancellationToken cancellation)
    {
        var wait = new OpenWait(name, entry.Step);
        using (await turns.EnterAsync(entry.Run, cancellation))
        {
            while (await runs.LiveAsync(entry.Run, cancellation) is { } run && run.Progress.Waits.Contains(wait))
            {
                if (await ResolveAsync(run, wait, data, cancellation) is { } notified)
                    return notified;
            }
        }
        if (entry.IsOld)
            await waiters.RemoveAsync(name, entry.Run, entry.Step, cancellation);
        return null;
    }

    // Null when something has changed meanwhile: to be looked at again.
    private async ValueTask<Notified?> ResolveAsync(Run run, OpenWait wait, byte[] data, CancellationToken cancellation)
    {
        if (await runs.StepAsync(run.Key, new StepKey(wait.Step, StepKind.Wait), cancellation) is not { } entry)
        {
            await failures.FailAsync(run, $"the wait of step {wait.Step} is gone", cancellation);
            return null;
        }
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var body = EventStep.Happened(entry.Detail!.Step!, wait.Event, data);
        var message = await messages.GetAsync(MessageId.Parse(entry.MessageId), cancellation);
        var renewed = message is { Ended: false } ? null : Renewed(run, entry, wait, now);
        var result = new RunStep(StepKey.Result(wait.Step), renewed?.Id.Text ?? entry.MessageId, now) { Concurrent = entry.Concurrent, Body = body, Size = body.Length };
        try
        {
            var change = RunRules.Resolve(run, wait, result, options.Workflows);
            var conflict = renewed is null
                ? await runs.CommitAsync(run, change, message!, now, cancellation)
                : await runs.CommitAsync(run, change with { Messages = [renewed] }, cancellation: cancellation);
            if (conflict is not null)
                return null;
        }
        catch (QStashException refusal) when (refusal.Status == 412)
        {
            await failures.FailAsync(run, refusal.Message, cancellation);
            return null;
        }
        await waiters.RemoveAsync(wait.Event, run.Key, wait.Step, CancellationToken.None);
        return new Notified(run, entry, MessageId.Parse(result.MessageId));
    }

    // Somebody has cancelled the message that would have ended the wait.
    private Message Renewed(Run run, RunStep entry, OpenWait wait, long now)
    {
        var settings = PublishSettingsReader.ParseAccepted(entry.Detail!.Settings ?? HeaderMap.Empty, options);
        var request = new RunRequest(new PublishRequest(entry.Detail.Url!, settings, []), settings.Workflow);
        var key = StepKey.Result(wait.Step);
        return RunMessages.Step(run, key, run.Key.Follower($"{key}|renewed", now), request);
    }

    private void Check(string name, byte[] data)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
            throw QStashException.BadRequest($"the event's name has more than {MaxNameBytes} bytes");
        if (data.Length > options.Workflows.MaxPayloadBytes)
            throw new QStashException(413, $"the event is too big: {data.Length} bytes, at most {options.Workflows.MaxPayloadBytes}");
    }
}
