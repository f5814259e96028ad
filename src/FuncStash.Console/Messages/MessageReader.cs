using FuncStash.Callbacks;
using FuncStash.Console.Parts;
using FuncStash.Delivery;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Console.Messages;

/// <summary>Reads all there is to show of one message.</summary>
public sealed class MessageReader(LogReader log, MessageStore messages, WaitReader waits)
{
    // A message that was retried a thousand times is looked at for its latest attempts.
    private const int MaxEvents = 200, MaxCallbacks = 20;

    public static bool IsBodyRedacted(Message message) => RedactionOf(message)?.Body == true;

    public async ValueTask<MessageModel> ReadAsync(
        StoredMessage stored, bool allOfBody, CancellationToken cancellation)
    {
        var message = stored.Message;
        var redact = RedactionOf(message);
        var page = await log.ListAsync(new LogQuery { MessageIds = [message.Id], Count = MaxEvents }, cancellation);
        var events = await Task.WhenAll(page.Entries.Select(entry => messages.WithResponseAsync(entry.Event, cancellation).AsTask()));
        var (attempts, others) = AttemptsOf([.. events.OfType<LogEvent>().OrderBy(e => e.Number)], stored.Progress);
        return new MessageModel(
            stored,
            redact is null ? message.Header : message.Header.Select(redact.Header),
            await BodyAsync(message, redact, allOfBody, cancellation),
            attempts, others, await CallbacksAsync(message, attempts, cancellation), page.Next is not null,
            await waits.ReadAsync(stored, cancellation), allOfBody);
    }

    private static RedactFields? RedactionOf(Message message) =>
        message.Redact is { } text && RedactFields.TryParse(text, out var fields, out _) ? fields : null;

    private async ValueTask<Payload> BodyAsync(Message message, RedactFields? redact, bool all, CancellationToken cancellation)
    {
        try
        {
            var body = await messages.BodyAsync(message, cancellation);
            return redact is { Body: true } ? Payload.Redacted(body) : Payload.Of(body, all);
        }
        catch (InvalidDataException)
        {
            // A purge takes it before it takes the message.
            return Payload.Of([]);
        }
    }

    /// <summary>Puts events together to attempts: an ACTIVE and what ended it.</summary>
    /// <param name="events">The message's latest events, in order.</param>
    /// <param name="progress">How far it has come.</param>
    internal static (IReadOnlyList<Attempt> Attempts, IReadOnlyList<LogEvent> Others) AttemptsOf(IReadOnlyList<LogEvent> events, Progress progress)
    {
        var (attempts, others) = (new List<Attempt>(), new List<LogEvent>());
        LogEvent? active = null;
        foreach (var item in events)
        {
            switch (item.State)
            {
                case MessageState.Active:
                    if (active is not null)
                        attempts.Add(new Attempt(0, active.Time, null));
                    active = item;
                    break;
                case MessageState.Delivered or MessageState.Error:
                    attempts.Add(new Attempt(0, active?.Time, item));
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
            attempts.Add(new Attempt(0, active.Time, null));
        var last = progress.Retried + (progress.State is MessageState.Retry or MessageState.Created ? 0 : 1);
        last = Math.Max(last, attempts.Count);
        return ([.. attempts.Select((attempt, i) => attempt with { Number = last - attempts.Count + 1 + i }).Reverse()], others);
    }

    private async ValueTask<IReadOnlyList<StoredMessage>> CallbacksAsync(
        Message message, IEnumerable<Attempt> attempts, CancellationToken cancellation)
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
