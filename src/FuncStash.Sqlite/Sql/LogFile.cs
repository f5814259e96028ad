using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FuncStash.Sqlite.Sql;

/// <summary>
/// The write-ahead log as the writer's connection writes it: gathered in memory, and written in one piece when SQLite
/// syncs. SQLite itself writes each page in two calls, which take more CPU time than all else in a commit.
/// </summary>
/// <remarks>
/// Nobody reads what was gathered before it is in the file: SQLite makes a commit visible to readers after the sync, and
/// the writer's own reads flush first. Used by one thread at a time.
/// </remarks>
internal sealed partial class LogFile(string path) : IDisposable
{
    private const int Capacity = 1024 * 1024;

    private readonly SafeFileHandle handle =
        File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private byte[] pending = new byte[64 * 1024];

    private long start;

    private int length;

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (offset != start + length || length + bytes.Length > Capacity)
            Flush();
        if (length == 0)
            start = offset;
        if (length + bytes.Length > pending.Length)
            Array.Resize(ref pending, Math.Max(2 * pending.Length, length + bytes.Length));
        bytes.CopyTo(pending.AsSpan(length));
        length += bytes.Length;
    }

    /// <summary>Writes what was gathered to the file.</summary>
    public void Flush()
    {
        if (length == 0)
            return;
        var bytes = pending.AsSpan(0, length);
        length = 0; // where this fails, SQLite rolls back, and writes it again with the next commit
        RandomAccess.Write(handle, bytes, start);
    }

    /// <summary>
    /// Makes the log durable. With fdatasync: fsync, which SQLite as packaged here would call, also commits the times of
    /// the file to the journal of the file system each time.
    /// </summary>
    public void Sync()
    {
        Flush();
        if (DataSync(handle) != 0)
            throw new IOException($"fdatasync failed: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    public void Dispose() => handle.Dispose();

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeHandle file);
}
