namespace FuncStash.Sqlite;

/// <summary>
/// Ownership of a store, as an exclusive lock on <c>PATH.lock</c>. The system drops it with the process, however that
/// ends, so the file may stay behind but never blocks.
/// </summary>
internal static class StoreLock
{
    /// <exception cref="StoreInUseException">Somebody else has it.</exception>
    public static FileStream Take(string path)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException or FileNotFoundException))
        {
            throw new StoreInUseException(path, e);
        }
    }
}
