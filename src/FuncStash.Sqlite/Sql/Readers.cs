namespace FuncStash.Sqlite.Sql;

/// <summary>A few readers, lent for the length of one read.</summary>
internal sealed class Readers(IReadOnlyList<Reader> readers) : IDisposable
{
    // No thread of the pool waits for a reader: a few that did would keep all others of its work waiting. Neither is disposed of: what
    // waits when the store is closed has its turn, and fails.
    private readonly SemaphoreSlim _turns = new(readers.Count);

    // What is short finds a reader beside what is long.
    private readonly SemaphoreSlim _longTurns = new(Math.Max(1, readers.Count - 1));

    /// <summary>
    /// Reads at once on a thread of the pool where a reader is free, and in its turn on such a one otherwise: a thread that serves
    /// sockets does not wait for the disk.
    /// </summary>
    public ValueTask<T> ReadAsync<TState, T>(TState state, Func<TState, T> read, CancellationToken cancellation)
    {
        if (!Thread.CurrentThread.IsThreadPoolThread || !_turns.Wait(0, CancellationToken.None))
            return new(ReadInTurnAsync(state, read, cancellation));
        try
        {
            return new(read(state));
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>As <see cref="ReadAsync"/>, for as much as a payload.</summary>
    public async ValueTask<T> ReadLongAsync<TState, T>(TState state, Func<TState, T> read, CancellationToken cancellation)
    {
        await _longTurns.WaitAsync(cancellation);
        try
        {
            return await ReadAsync(state, read, cancellation);
        }
        finally
        {
            _longTurns.Release();
        }
    }

    private async Task<T> ReadInTurnAsync<TState, T>(TState state, Func<TState, T> read, CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            return read(state);
        }
        finally
        {
            _turns.Release();
        }
    }

    public Loan Lend()
    {
        foreach (var reader in readers)
            if (reader.Connection.Gate.TryEnter())
                return new Loan(reader);
        var next = readers[Environment.CurrentManagedThreadId % readers.Count];
        next.Connection.Gate.Enter();
        return new Loan(next);
    }

    public void Dispose()
    {
        foreach (var reader in readers)
            lock (reader.Connection.Gate)
                reader.Connection.Dispose();
    }

    internal readonly ref struct Loan(Reader reader)
    {
        public Reader Reader => reader;

        public void Dispose() => reader.Connection.Gate.Exit();
    }
}
