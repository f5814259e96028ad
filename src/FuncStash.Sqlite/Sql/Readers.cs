namespace FuncStash.Sqlite.Sql;

/// <summary>A few readers, lent for the length of one read on the thread of the caller.</summary>
internal sealed class Readers(IReadOnlyList<Reader> readers) : IDisposable
{
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    public Loan Lend()
    {
        foreach (var reader in readers)
            if (reader.Connection.Gate.TryEnter())
                return Open(reader);
        var next = readers[Environment.CurrentManagedThreadId % readers.Count];
        next.Connection.Gate.Enter();
        return Open(next);
    }

    public void Dispose()
    {
        foreach (var reader in readers)
            lock (reader.Connection.Gate)
                reader.Connection.Dispose();
    }

    private static Loan Open(Reader reader)
    {
        if (!reader.Connection.IsClosed)
            return new Loan(reader);
        reader.Connection.Gate.Exit();
        throw new ObjectDisposedException(nameof(SqliteStore));
    }

    internal readonly ref struct Loan(Reader reader)
    {
        public Reader Reader => reader;

        public void Dispose() => reader.Connection.Gate.Exit();
    }
}
