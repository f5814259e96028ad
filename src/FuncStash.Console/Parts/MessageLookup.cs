using FuncStash.Messages;

namespace FuncStash.Console.Parts;

/// <summary>Looks up messages by id, without their payloads.</summary>
public sealed class MessageLookup(MessageStore messages)
{
    /// <summary>Those that are there, in the same order.</summary>
    public async ValueTask<IReadOnlyList<StoredMessage>> FindAsync(IEnumerable<string> ids, CancellationToken cancellation)
    {
        var found = await Task.WhenAll(ids.Where(id => MessageId.TryParse(id, out _))
            .Select(id => messages.LookAsync(MessageId.Parse(id), cancellation).AsTask()));
        return [.. found.OfType<StoredMessage>()];
    }
}
