using FuncStash.DeadLetters;
using FuncStash.Deduplication;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Publishing;

/// <summary>Sends dead letters again, each as a new message (protocol#dead-letter-retry).</summary>
/// <remarks>
/// The letter's row first says which message the retry makes; then the message is stored, once; then the letter goes. So a
/// retry repeated after a crash, or made twice at the same time, makes one message.
/// </remarks>
public sealed class DeadLetterRetry(
    DeadLetterStore letters, Publisher publisher, MessageStore messages, MessageIds ids, FuncStashOptions options, TimeProvider time)
{
    private const int SideBySide = 16;

    // A retry that has made no message by then has died.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(2), s_pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Retries a dead letter with the settings it had, save those that <paramref name="changes"/> gives.</summary>
    /// <returns>Null when there is no such dead letter.</returns>
    /// <exception cref="QStashException">404 for a letter whose payload is gone, 400 for changes that are refused and for one of a workflow run.</exception>
    public async ValueTask<Published?> RetryAsync(DlqId id, PublishSettings changes, CancellationToken cancellation = default)
    {
        if (id.IsOfRun)
            throw QStashException.BadRequest($"dlq message {id} is of a workflow run: resume or restart that");
        changes.CheckDue(Now, options);
        while (await letters.GetAsync(id, cancellation) is { } letter)
        {
            CheckCallbacks(letter, changes);
            var retry = letter.RetryId ?? ids.Next();
            if (letter.RetryId is null && !await letters.BeginRetryAsync(letter, retry, cancellation))
                continue;
            byte[] body;
            try
            {
                body = await letters.BodyAsync(letter, cancellation);
            }
            catch (InvalidDataException)
            {
                // Another retry may have removed it between the two reads: the next look tells.
                if (await letters.GetAsync(id, cancellation) is null)
                    return null;
                throw QStashException.NotFound($"the payload of dead letter {id} is gone");
            }
            // A clock that was set back since the id was made delays nothing.
            var due = Math.Min(retry.CreatedAt, Now);
            var message = changes.ApplyTo(Renewed(letter.Message, retry, body, changes), due);
            var published = await publisher.PublishAsync(message, DeduplicationKey(message, changes), cancellation);
            // What was not sent because of another message stays: it is the only copy.
            if (!published.Deduplicated)
                await letters.RemoveAsync(id, cancellation);
            else
                await letters.EndRetryAsync(id, cancellation);
            return published;
        }
        return null;
    }

    /// <summary>Deletes a dead letter, whose message is then not sent again; false when it was gone, or is being retried.</summary>
    public async ValueTask<bool> DeleteAsync(DlqId id, CancellationToken cancellation = default)
    {
        var began = time.GetTimestamp();
        while (await letters.LookAsync(id, cancellation) is { } letter)
        {
            if (letter.RetryId is { } retry)
            {
                if (await messages.LookAsync(retry, cancellation) is not null)
                {
                    // Its retry may have died before it did this.
                    await letters.RemoveAsync(id, cancellation);
                    return false;
                }
                if (Now - retry.CreatedAt < s_longest.TotalMilliseconds && time.GetElapsedTime(began) < s_longest)
                {
                    await Task.Delay(s_pause, time, cancellation);
                    continue;
                }
            }
            if (await letters.RemoveAsync(letter, cancellation))
                return true;
        }
        return false;
    }

    /// <summary>Retries many, some side by side; those that are gone, or whose payload is, are left out.</summary>
    public async ValueTask<IReadOnlyList<Published>> RetryAsync(
        IEnumerable<DlqId> many, PublishSettings changes, CancellationToken cancellation = default)
    {
        var published = new List<Published>();
        var all = many.ToList();
        // Refused before any is sent.
        if (MayBeRefused(changes))
        {
            foreach (var id in all)
            {
                if (await letters.LookAsync(id, cancellation) is { } letter)
                    CheckCallbacks(letter, changes);
            }
        }
        foreach (var some in all.Chunk(SideBySide))
        {
            var results = await Task.WhenAll(some.Select(TryRetryAsync));
            published.AddRange(results.OfType<Published>());
        }
        return published;

        async Task<Published?> TryRetryAsync(DlqId id)
        {
            try
            {
                return await RetryAsync(id, changes, cancellation);
            }
            catch (QStashException gone) when (gone.Status == 404)
            {
                return null;
            }
        }
    }

    // Only what is changed of a queue or a callback can go ill with what the message has.
    private static bool MayBeRefused(PublishSettings changes) =>
        changes is not { QueueName: null, Callback: null, FailureCallback: null, ForCallback: null, ForFailureCallback: null };

    private void CheckCallbacks(DeadLetter letter, PublishSettings changes)
    {
        if (!MayBeRefused(changes))
            return;
        var message = changes.ApplyTo(Renewed(letter.Message, letter.Message.Id, [], changes), Now);
        Publisher.CheckCallbackDelay(message.QueueName, message.Callback, message.FailureCallback);
        foreach (var header in HeaderTable.Callbacks)
        {
            if (header.IsIn(changes) && header.Of(message) is { } callback)
                PublishSettingsReader.CheckAccepted(header.Name, callback.Settings, options);
        }
    }

    private static Message Renewed(Message old, MessageId id, byte[] body, PublishSettings changes) => old with
    {
        Id = id,
        Body = body,
        BodyName = null,
        QueueName = changes.QueueName ?? old.QueueName,
        QueueCreatedAt = null,
        // What the callback reports was over long ago; nobody waits for it any more.
        CallbackOf = null,
        QueueSlot = null,
    };

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string? DeduplicationKey(Message message, PublishSettings changes) =>
        changes.DeduplicationId
        ?? (changes.ContentBasedDeduplication is true
            ? Deduplicator.ContentKey(message.Url, message.Header, message.Body)
            : null);
}
