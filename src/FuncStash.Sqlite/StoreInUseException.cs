namespace FuncStash.Sqlite;

/// <summary>The file is open already, in this process or another: one process owns a store.</summary>
public sealed class StoreInUseException(string path, Exception? inner = null)
    : IOException($"The store '{path}' is in use: one process at a time may own it, and one already does.", inner)
{
    /// <summary>The full path of the store.</summary>
    public string Path { get; } = path;
}
