using System.Runtime.InteropServices;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>
/// The write-ahead log of an open store on a device that fails, until disposed. <see cref="SystemCalls"/> must have been watched
/// before the store was opened.
/// </summary>
internal sealed partial class FailingLog : IDisposable
{
    private readonly int _log, _kept;

    /// <param name="path">The path of the store.</param>
    /// <param name="device"><c>/dev/full</c>: no space is left; <c>/dev/null</c>: writes are lost, and no sync succeeds.</param>
    public FailingLog(string path, string device)
    {
        // Each connection opens the log, the one that writes before the others.
        _log = SystemCalls.Opened.First(o => o.File == path + "-wal").Descriptor;
        Assert.Equal(path + "-wal", new FileInfo($"/proc/self/fd/{_log}").LinkTarget);
        _kept = Checked(Duplicate(_log));
        SystemCalls.Divert(_log, _kept); // what was written before can be read
        using var failing = File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Checked(Replace((int)failing.DangerousGetHandle(), _log));
    }

    public void Dispose()
    {
        Checked(Replace(_kept, _log));
        SystemCalls.Divert(-1, -1);
        Checked(Close(_kept));
    }

    private static int Checked(int result) => result >= 0 ? result : throw new IOException(Marshal.GetLastPInvokeErrorMessage());

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int fd);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    private static partial int Replace(int fd, int by);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int fd);
}
