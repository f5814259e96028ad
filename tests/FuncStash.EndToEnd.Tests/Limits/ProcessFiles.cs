using System.Runtime.InteropServices;

namespace FuncStash.EndToEnd.Tests.Limits;

/// <summary>The open files of another process, on Linux.</summary>
internal static class ProcessFiles
{
    private const int NoFile = 7;

    /// <summary>Its open sockets, those it listens at among them.</summary>
    public static int Sockets(int processId) => Directory.GetFileSystemEntries($"/proc/{processId}/fd")
        .Count(file => TargetOf(file)?.StartsWith("socket:", StringComparison.Ordinal) == true);

    /// <summary>Lets the process open no more files, until disposed; it keeps those that it has.</summary>
    public static IDisposable TakeAway(int processId) => new Limited(processId);

    private static string? TargetOf(string file)
    {
        try
        {
            return new FileInfo(file).LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed meanwhile
        }
    }

    private sealed class Limited : IDisposable
    {
        private readonly int _processId;
        private readonly Limit _before;

        public Limited(int processId)
        {
            _processId = processId;
            Check(prlimit(processId, NoFile, IntPtr.Zero, out _before));
            // The limit is for the number of a new one, and 0 is taken.
            var one = _before with { Soft = 1 };
            Check(prlimit(processId, NoFile, ref one, IntPtr.Zero));
        }

        public void Dispose()
        {
            var before = _before;
            Check(prlimit(_processId, NoFile, ref before, IntPtr.Zero));
        }

        private static void Check(int result)
        {
            if (result != 0)
                throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private record struct Limit(ulong Soft, ulong Hard);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int prlimit(int processId, int resource, IntPtr none, out Limit before);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int prlimit(int processId, int resource, ref Limit limit, IntPtr none);
}
