namespace FuncStash.Sqlite.Sql;

/// <summary>A few readers, lent for the length of one read on the thread of the caller.</summary>
internal sealed class Readers(IReadOnlyList<Reader> readers) : IDisposable
{
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
