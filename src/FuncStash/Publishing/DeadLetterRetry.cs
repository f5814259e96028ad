using FuncStash.DeadLetters;
using FuncStash.Deduplication;
using FuncStash.Headers;
using FuncStash.Messages;

namespace FuncStash.Publishing;

/// <summary>Sends dead letters again, each as a new message (protocol#dead-letter-retry).</summary>
/// <remarks>
/// The letter's row first says which message the retry makes; then the message is stored, once; then the letter goes. So a
/// retry repeated after a crash, or made twice at the same time, makes one message.
/// </remarks>
public sealed class DeadLetterRetry(DeadLetterStore letters, Publisher publisher, MessageIds ids)
{
    private const int SideBySide = 16;

    /// <summary>Retries a dead letter with the settings it had, save those that <paramref name="changes"/> gives.</summary>
    /// <returns>Null when there is no such dead letter.</returns>
    public async ValueTask<Published?> RetryAsync(DlqId id, PublishSettings changes, CancellationToken cancellation = default)
    {
        while (await letters.GetAsync(id, cancellation) is { } letter)
        {
            var retry = letter.RetryId ?? ids.Next();
            if (letter.RetryId is null && !await letters.BeginRetryAsync(letter, retry, cancellation))
                continue;
            byte[] body;
            try
            {
                body = await letters.BodyAsync(letter, cancellation);
            }
            catch (InvalidDataException) when (letter.RetryId is not null)
            {
                // Another retry may have removed it between the two reads: the next look tells.
                if (await letters.GetAsync(id, cancellation) is null)
                    return null;
                throw;
            }
            var message = Renewed(letter.Message, retry, body, changes);
            var published = await publisher.PublishAsync(message, DeduplicationKey(message, changes), cancellation);
            // What was not sent because of another message stays: it is the only copy.
            if (!published.Deduplicated)
                await letters.RemoveAsync(id, cancellation);
            return published;
        }
        return null;
    }

    /// <summary>Retries many, some side by side; those that are gone are left out.</summary>
    public async ValueTask<IReadOnlyList<Published>> RetryAsync(
        IEnumerable<DlqId> many, PublishSettings changes, CancellationToken cancellation = default)
    {
        var published = new List<Published>();
        foreach (var some in many.Chunk(SideBySide))
        {
            var results = await Task.WhenAll(some.Select(id => RetryAsync(id, changes, cancellation).AsTask()));
            published.AddRange(results.OfType<Published>());
        }
        return published;
    }

    private static Message Renewed(Message old, MessageId id, byte[] body, PublishSettings changes) => changes.ApplyTo(old, id.CreatedAt) with
    {
        Id = id,
        Body = body,
        BodyName = null,
        QueueName = changes.QueueName ?? old.QueueName,
        // What the callback reports was over long ago; nobody waits for it any more.
        CallbackOf = null,
        QueueSlot = null,
    };

    private static string? DeduplicationKey(Message message, PublishSettings changes) =>
        changes.DeduplicationId
        ?? (changes.ContentBasedDeduplication
            ? Deduplicator.ContentKey(message.Url, message.Header, message.Body)
            : null);
}
