namespace FuncStash.Admission;

/// <summary>What became of something added to a <see cref="WorkLine{T}"/>.</summary>
internal enum Added
{
    /// <summary>Whoever added it has to work the line off.</summary>
    Yours,

    /// <summary>Somebody is at work and comes to it.</summary>
    Underway,

    /// <summary>The line is closed: it was not added.</summary>
    Closed,
}

/// <summary>Things to be done, worked off by one worker at a time, and by somebody whenever there are any.</summary>
/// <remarks>
/// Adding and leaving are each one step, under a lock. With a flag and a queue of their own, a worker's "nobody is at
/// work" could reach others after its last look at the queue: what was added in between stayed, with nobody to wake.
/// </remarks>
internal sealed class WorkLine<T>
{
    private readonly Lock _lock = new();
    private readonly Queue<T> _items = new();
    private bool _isWorkedAt, _isClosed;

    public Added Add(T item)
    {
        lock (_lock)
        {
            if (_isClosed)
                return Added.Closed;
            _items.Enqueue(item);
            if (_isWorkedAt)
                return Added.Underway;
            _isWorkedAt = true;
            return Added.Yours;
        }
    }

    /// <summary>Takes the next ones, in order, <paramref name="max"/> at most; when there are none the worker has left.</summary>
    public List<T> Take(int max)
    {
        lock (_lock)
        {
            var taken = new List<T>(Math.Min(max, _items.Count));
            while (taken.Count < max && _items.TryDequeue(out var item))
                taken.Add(item);
            _isWorkedAt = taken.Count > 0;
            return taken;
        }
    }

    /// <summary>Closes the line for good; false while there is work.</summary>
    public bool TryClose()
    {
        lock (_lock)
        {
            _isClosed |= !_isWorkedAt;
            return _isClosed;
        }
    }
}
