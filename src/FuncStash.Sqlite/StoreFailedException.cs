namespace FuncStash.Sqlite;

/// <summary>SQLite refused an operation: a full disk, an I/O error, a file that is no store.</summary>
public sealed class StoreFailedException(string message, int code) : IOException(message)
{
    /// <summary>The extended result code, see https://sqlite.org/rescode.html.</summary>
    public int Code { get; } = code;
}
