namespace FuncStash.Sqlite.Queues;

/// <summary>Where a message stands in this process.</summary>
internal enum MessageState
{
    /// <summary>In the file only, hidden until its time; whoever postponed it may still end it.</summary>
    Stored,

    /// <summary>In memory, for the next receiver. Its last holder may still end it.</summary>
    Ready,

    /// <summary>In memory, held by a worker until <see cref="QueuedMessage.Until"/>.</summary>
    Leased,

    /// <summary>Being deleted, postponed or poisoned by the writer.</summary>
    Ending,

    /// <summary>Deleted or poisoned.</summary>
    Gone,
}

/// <summary>A message: its row in the file and its lease in memory. Guarded by its queue's gate.</summary>
internal sealed class QueuedMessage(long id, long visibleAt, int dequeues, string text)
{
    public long Id => id;

    public string Text => text;

    /// <summary>When the row becomes visible, Unix time in ms: a part of its key.</summary>
    public long VisibleAt { get; set; } = visibleAt;

    public int Dequeues { get; set; } = dequeues;

    public MessageState State { get; set; }

    /// <summary>The last lease given out, while it may still end the message.</summary>
    public SqliteLease? Holder { get; set; }

    /// <summary>When the lease runs out, Unix time in ms.</summary>
    public long Until { get; set; }

    /// <summary>The place in the heap of leases; -1: none.</summary>
    public int HeapIndex { get; set; } = -1;
}
