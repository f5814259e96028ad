using FuncStash.Storage;

namespace FuncStash.Sqlite.Queues;

internal sealed class SqliteLease(WorkQueue source, QueuedMessage message, long length)
    : Lease(source.Name, message.Text, message.Dequeues)
{
    public WorkQueue Source => source;

    public QueuedMessage Message => message;

    /// <summary>How long the lease was asked for, in ms.</summary>
    public long Length => length;
}
