using System.Collections.Concurrent;

namespace FuncStash.Messages;

/// <summary>
/// Messages of this process that are about to be attempted. What was published never changes, so a row of one of them need
/// not be parsed; whether it still stands, and how far it has come, the row says.
/// </summary>
internal sealed class RecentMessages
{
    private const int Max = 4096;

    private readonly ConcurrentDictionary<MessageId, Message> _messages = new();
    private int _count;

    /// <summary>Remembers a message that was stored, while there is room.</summary>
    public void Add(Message message)
    {
        if (Interlocked.Increment(ref _count) > Max || !_messages.TryAdd(message.Id, message with { Body = [] }))
            Interlocked.Decrement(ref _count);
    }

    public Message? Find(MessageId id) => _messages.TryGetValue(id, out var message) ? message : null;

    /// <summary>Forgets a message once it was attempted.</summary>
    public void Remove(MessageId id)
    {
        if (_messages.TryRemove(id, out _))
            Interlocked.Decrement(ref _count);
    }
}
