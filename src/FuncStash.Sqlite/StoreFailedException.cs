namespace FuncStash.Sqlite;

/// <summary>SQLite refused an operation: a full disk, an I/O error, a file that is no store.</summary>
public sealed class StoreFailedException(string message, int code) : IOException(message)
{
    /// <summary>The extended result code, see https://sqlite.org/rescode.html.</summary>
    public int Code { get; } = code;

    /// <summary>Whether it lies in what was asked: too big, or not as a row is. Anything else is the file's or the machine's.</summary>
    internal bool IsOfRequest => (Code & 0xFF) is TooBig or Constraint or Mismatch;

    /// <summary>Whether no space is left.</summary>
    internal bool IsFull => (Code & 0xFF) == Full;

    private const int Full = 13, TooBig = 18, Constraint = 19, Mismatch = 20;
}
