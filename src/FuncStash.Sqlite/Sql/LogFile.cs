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

    private readonly SafeFileHandle _handle =
        File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private byte[] _pending = new byte[64 * 1024];

    private long _start;

    private int _length;

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        if (offset != _start + _length || _length + bytes.Length > Capacity)
            Flush();
        if (_length == 0)
            _start = offset;
        if (_length + bytes.Length > _pending.Length)
            Array.Resize(ref _pending, Math.Max(2 * _pending.Length, _length + bytes.Length));
        bytes.CopyTo(_pending.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>Writes what was gathered to the file.</summary>
    public void Flush()
    {
        if (_length == 0)
            return;
        var bytes = _pending.AsSpan(0, _length);
        _length = 0; // where this fails, SQLite rolls back, and writes it again with the next commit
        RandomAccess.Write(_handle, bytes, _start);
    }

    /// <summary>
    /// Makes the log durable. With fdatasync: fsync, which SQLite as packaged here would call, also commits the times of
    /// the file to the journal of the file system each time.
    /// </summary>
    public void Sync()
    {
        Flush();
        if (DataSync(_handle) != 0)
            throw new IOException($"fdatasync failed: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    public void Dispose() => _handle.Dispose();

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int DataSync(SafeHandle file);
}
