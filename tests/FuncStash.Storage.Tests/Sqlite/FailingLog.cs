using System.Runtime.InteropServices;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>The write-ahead log of an open store on a device that fails, until disposed.</summary>
internal sealed partial class FailingLog : IDisposable
{
    private readonly int _log, _kept;

    /// <param name="path">The path of the store.</param>
    /// <param name="device"><c>/dev/full</c>: no space is left; <c>/dev/null</c>: writes are lost, and no sync succeeds.</param>
    public FailingLog(string path, string device)
    {
        // SQLite opens the log once a connection, the store once more to write it: in another way, so it stands out.
        _log = Directory.GetFiles("/proc/self/fd").Where(fd => new FileInfo(fd).LinkTarget == path + "-wal")
            .Select(Path.GetFileName).GroupBy(fd => File.ReadLines($"/proc/self/fdinfo/{fd}").Single(l => l.StartsWith("flags:", StringComparison.Ordinal)))
            .Single(way => way.Count() == 1).Select(fd => int.Parse(fd!, null)).Single();
        _kept = Checked(Duplicate(_log));
        using var failing = File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Checked(Replace((int)failing.DangerousGetHandle(), _log));
    }

    public void Dispose()
    {
        Checked(Replace(_kept, _log));
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
