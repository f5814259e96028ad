using System.Runtime.InteropServices;

namespace FuncStash.Sqlite.Sql;

/// <summary>One connection, used by one thread at a time: whoever is inside <see cref="Gate"/>.</summary>
internal sealed class Connection : IDisposable
{
    private readonly List<Statement> statements = [];

    private nint handle;

    /// <exception cref="StoreFailedException">The file cannot be opened.</exception>
    public Connection(string path, bool readOnly, string? vfs = null)
    {
        // Without SQLite's own mutexes: the gate does their work.
        var flags = Native.OpenNoMutex | (readOnly ? Native.OpenReadOnly : Native.OpenReadWrite | Native.OpenCreate);
        var code = Native.Open(path, out handle, flags, vfs);
        if (code != Native.Ok)
        {
            var message = handle == 0 ? "no memory" : Message;
            Dispose();
            throw new StoreFailedException($"The store '{path}' cannot be opened: {message}", code);
        }

        _ = Native.UseExtendedCodes(handle, 1);
        _ = Native.SetBusyTimeout(handle, 5_000);
    }

    public Lock Gate { get; } = new();

    public bool IsClosed => handle == 0;

    /// <summary>Rows touched by the last statement that was stepped to its end.</summary>
    public int Changes => Native.Changes(handle);

    /// <summary>Whether a transaction is open; some errors end it.</summary>
    public bool InTransaction => Native.IsAutoCommit(handle) == 0;

    private string? Message => Marshal.PtrToStringUTF8(Native.Message(handle));

    /// <summary>Prepares a statement that lives as long as the connection.</summary>
    public Statement Prepare(string sql)
    {
        if (Native.Prepare(handle, sql, -1, Native.PreparePersistent, out var statement, 0) != Native.Ok)
            throw Failure();
        var prepared = new Statement(this, statement);
        statements.Add(prepared);
        return prepared;
    }

    public void Execute(string sql)
    {
        if (Native.Execute(handle, sql, 0, 0, 0) != Native.Ok)
            throw Failure();
    }

    public StoreFailedException Failure() => new($"SQLite: {Message}", Native.Code(handle));

    public void Dispose()
    {
        foreach (var statement in statements)
            statement.Dispose();
        statements.Clear();
        _ = Native.Close(handle); // of none: no effect
        handle = 0;
    }
}
