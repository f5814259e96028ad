using FuncStash.Callbacks;
using FuncStash.Logs;
using FuncStash.Messages;

namespace FuncStash.Delivery;

/// <summary>One attempt, as the log has it.</summary>
/// <param name="Number">From 1.</param>
/// <param name="StartedAt">Unix milliseconds; null where its start is not in the log.</param>
/// <param name="Outcome">The event that ended it; null while it is in flight.</param>
public sealed record LoggedAttempt(int Number, long? StartedAt, LogEvent? Outcome)
{
    /// <summary>True when the message failed for good with it.</summary>
    public bool IsLast { get; init; }

    public MessageState State => Outcome?.State ?? MessageState.Active;

    /// <summary>Milliseconds; null while it is in flight, or where its start is not known.</summary>
    public long? Took => Outcome is { } outcome && StartedAt is { } start ? Math.Max(0, outcome.Time - start) : null;
}

/// <summary>What has been done about a message.</summary>
/// <param name="Attempts">Its attempts, latest first.</param>
/// <param name="Others">Events that belong to no attempt: its creation, its cancellation.</param>
/// <param name="Callbacks">The messages that report on it.</param>
/// <param name="IsCut">Whether there are more events than were read.</param>
public sealed record MessageAttempts(
    IReadOnlyList<LoggedAttempt> Attempts, IReadOnlyList<LogEvent> Others, IReadOnlyList<StoredMessage> Callbacks, bool IsCut);

/// <summary>Puts the events of a message together to attempts (protocol#message-attempts).</summary>
public sealed class AttemptReader(LogReader log, MessageStore messages)
{
    // A message that was retried a thousand times is looked at for its latest attempts.
    private const int MaxEvents = 200, MaxCallbacks = 20;

    /// <summary>The attempts and what else is known, without responses.</summary>
    public async ValueTask<MessageAttempts> ReadAsync(StoredMessage stored, CancellationToken cancellation = default)
    {
        var message = stored.Message;
        var page = await log.ListAsync(new LogQuery { MessageIds = [message.Id], Count = MaxEvents }, cancellation);
        var (attempts, others) = AttemptsOf([.. page.Entries.Select(entry => entry.Event).OrderBy(item => item.Number)], stored.Progress);
        return new MessageAttempts(attempts, others, await CallbacksAsync(message, attempts, cancellation), page.Next is not null);
    }

    /// <summary>The same attempts, some of them with their responses, each of up to 256 KiB.</summary>
    /// <param name="attempts">The attempts, latest first.</param>
    /// <param name="latest">The number of the latest one to have it; null for the latest of all.</param>
    /// <param name="count">How many have it.</param>
    /// <param name="cancellation">Stops the read.</param>
    public async ValueTask<IReadOnlyList<LoggedAttempt>> WithResponsesAsync(
        IReadOnlyList<LoggedAttempt> attempts, int? latest, int count, CancellationToken cancellation = default)
    {
        var chosen = attempts.Where(each => each.Outcome is not null && each.Number <= (latest ?? int.MaxValue)).Take(count).ToHashSet();
        return await Task.WhenAll(attempts.Select(async each => chosen.Contains(each)
            ? each with { Outcome = await messages.WithResponseAsync(each.Outcome!, cancellation) ?? each.Outcome }
            : each));
    }

    /// <summary>Puts events together to attempts: an ACTIVE and what ended it.</summary>
    /// <param name="events">The message's latest events, in order.</param>
    /// <param name="progress">How far it has come.</param>
    internal static (IReadOnlyList<LoggedAttempt> Attempts, IReadOnlyList<LogEvent> Others) AttemptsOf(IReadOnlyList<LogEvent> events, Progress progress)
    {
        var (attempts, others) = (new List<LoggedAttempt>(), new List<LogEvent>());
        LogEvent? active = null;
        foreach (var item in events)
        {
            switch (item.State)
            {
                case MessageState.Active:
                    if (active is not null)
                        attempts.Add(new LoggedAttempt(0, active.Time, null));
                    active = item;
                    break;
                case MessageState.Delivered or MessageState.Error:
                    attempts.Add(new LoggedAttempt(0, active?.Time, item));
                    active = null;
                    break;
                case MessageState.Failed when attempts.Count > 0:
                    attempts[^1] = attempts[^1] with { IsLast = true };
                    break;
                // They say again what the ERROR before them says.
                case MessageState.Retry or MessageState.Failed:
                    break;
                default:
                    others.Add(item);
                    break;
            }
        }
        if (active is not null)
            attempts.Add(new LoggedAttempt(0, active.Time, null));
        var last = progress.Retried + (progress.State is MessageState.Retry or MessageState.Created ? 0 : 1);
        last = Math.Max(last, attempts.Count);
        return ([.. attempts.Select((attempt, i) => attempt with { Number = last - attempts.Count + 1 + i }).Reverse()], others);
    }

    private async ValueTask<IReadOnlyList<StoredMessage>> CallbacksAsync(
        Message message, IEnumerable<LoggedAttempt> attempts, CancellationToken cancellation)
    {
        var ids = new List<MessageId>();
        foreach (var attempt in attempts.Where(attempt => attempt.Outcome is not null).Take(MaxCallbacks))
        {
            if (message.Callback is not null)
                ids.Add(CallbackIds.OfAttempt(message.Id, attempt.Number - 1, attempt.Outcome!.Time));
            if (message.FailureCallback is not null && attempt.IsLast)
                ids.Add(CallbackIds.OfFailure(message.Id, attempt.Outcome!.Time));
        }
        var found = await Task.WhenAll(ids.Select(id => messages.LookAsync(id, cancellation).AsTask()));
        return [.. found.OfType<StoredMessage>()];
    }
}
