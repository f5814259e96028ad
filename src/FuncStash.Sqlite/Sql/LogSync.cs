using System.Runtime.InteropServices;

namespace FuncStash.Sqlite.Sql;

/// <summary>
/// Syncs the write-ahead log after a commit in SQLite's place. SQLite as it is packaged here calls fsync, which on Linux
/// also commits the file's times to the journal of the file system at each call; fdatasync leaves them, and is as safe.
/// </summary>
/// <remarks>
/// SQLite itself runs at synchronous=NORMAL then: it still syncs around checkpoints, so the file stays whole. A reader may
/// see a commit up to a sync before it is durable, but nobody is told of it before.
/// </remarks>
internal sealed partial class LogSync : IDisposable
{
    private readonly FileStream log;

    private LogSync(FileStream log) => this.log = log;

    /// <summary>Takes the syncing over where the system has fdatasync; elsewhere null, and SQLite syncs by itself.</summary>
    /// <param name="path">The store; its log exists already.</param>
    /// <param name="connection">The connection that writes.</param>
    public static LogSync? TakeOver(string path, Connection connection)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var log = new FileStream(path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        connection.Execute("PRAGMA synchronous = NORMAL");
        return new LogSync(log);
    }

    /// <exception cref="StoreFailedException">The disk failed: what was written may be gone, and trying again tells nothing.</exception>
    public void Sync()
    {
        if (DataSync(log.SafeFileHandle) != 0)
            throw new StoreFailedException("The log of the store could not be synced to disk.", Marshal.GetLastPInvokeError());
    }

    public void Dispose() => log.Dispose();

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeHandle file);
}
