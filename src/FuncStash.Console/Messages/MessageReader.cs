using FuncStash.Console.Parts;
using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Wire;

namespace FuncStash.Console.Messages;

/// <summary>Reads all there is to show of one message.</summary>
public sealed class MessageReader(AttemptReader attempts, MessageStore messages, WaitReader waits, DeadLetterStore letters)
{
    // Of up to 256 KiB each.
    private const int MostResponses = 8;

    public static bool IsBodyRedacted(Message message) => RedactionOf(message)?.Body == true;

    /// <param name="stored">The message.</param>
    /// <param name="allOfBody">Whether payloads are shown however long they are.</param>
    /// <param name="latest">The number of the latest attempt whose response is shown; null for the latest of all.</param>
    /// <param name="cancellation">Stops the read.</param>
    public async ValueTask<MessageModel> ReadAsync(
        StoredMessage stored, bool allOfBody, int? latest, CancellationToken cancellation)
    {
        var message = stored.Message;
        var redact = RedactionOf(message);
        var done = await attempts.ReadAsync(stored, cancellation);
        return new MessageModel(
            stored,
            redact is null ? message.Header : message.Header.Select(redact.Header),
            await BodyAsync(message, redact, allOfBody, cancellation),
            await attempts.WithResponsesAsync(done.Attempts, latest, MostResponses, cancellation), done.Others, done.Callbacks, done.IsCut,
            await waits.ReadAsync(stored, cancellation), await LetterAsync(stored.Progress.DlqId, cancellation), allOfBody);
    }

    // One that was sent again or deleted is none any more.
    private async ValueTask<DlqId?> LetterAsync(string? text, CancellationToken cancellation) =>
        DlqId.TryParse(text, out var id) && await letters.LookAsync(id, cancellation) is not null ? id : null;

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
}
