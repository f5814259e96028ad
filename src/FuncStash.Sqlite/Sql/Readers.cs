namespace FuncStash.Sqlite.Sql;

/// <summary>A few readers, lent for the length of one read.</summary>
internal sealed class Readers(IReadOnlyList<Reader> readers) : IDisposable
{
    /// <summary>
    /// Reads at once on a thread of the pool, and there for any other caller: a thread that serves sockets does not wait for
    /// the disk.
    /// </summary>
    public static ValueTask<T> ReadAsync<TState, T>(TState state, Func<TState, T> read) =>
        Thread.CurrentThread.IsThreadPoolThread ? new(read(state)) : new(Task.Run(() => read(state)));

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
