namespace FuncStash.Sqlite.Queues;

/// <summary>
/// Leased messages by when their leases run out. Unlike <see cref="PriorityQueue{TElement,TPriority}"/> it lets go of one
/// in the middle at once: most leases end long before they run out.
/// </summary>
internal sealed class LeaseHeap
{
    private QueuedMessage[] _items = new QueuedMessage[64];

    public int Count { get; private set; }

    /// <summary>When the first lease runs out, Unix time in ms; the end of time when there is none.</summary>
    public long First => Count == 0 ? long.MaxValue : _items[0].Until;

    public void Add(QueuedMessage message)
    {
        if (Count == _items.Length)
            Array.Resize(ref _items, Count * 2);
        Up(Count++, message);
    }

    public QueuedMessage Pop()
    {
        var first = _items[0];
        Remove(first);
        return first;
    }

    /// <summary>Takes a message out; no effect on one that is not in.</summary>
    public void Remove(QueuedMessage message)
    {
        var index = message.HeapIndex;
        if (index < 0)
            return;
        message.HeapIndex = -1;
        var last = _items[--Count];
        _items[Count] = null!;
        if (last == message)
            return;
        if (index > 0 && last.Until < _items[(index - 1) / 2].Until)
            Up(index, last);
        else
            Down(index, last);
    }

    private void Up(int index, QueuedMessage message)
    {
        for (; index > 0 && _items[(index - 1) / 2] is var parent && message.Until < parent.Until; index = (index - 1) / 2)
            Place(index, parent);
        Place(index, message);
    }

    private void Down(int index, QueuedMessage message)
    {
        for (int child; (child = 2 * index + 1) < Count; index = child)
        {
            if (child + 1 < Count && _items[child + 1].Until < _items[child].Until)
                child++;
            if (message.Until <= _items[child].Until)
                break;
            Place(index, _items[child]);
        }

        Place(index, message);
    }

    private void Place(int index, QueuedMessage message)
    {
        _items[index] = message;
        message.HeapIndex = index;
    }
}
