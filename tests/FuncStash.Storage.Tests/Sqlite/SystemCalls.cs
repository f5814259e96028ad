using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FuncStash.Sqlite.Sql;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>
/// What SQLite asks of the system, of any test: its file layer allows calls to be replaced
/// (https://sqlite.org/c3ref/vfs.html). From the first use on, until the process ends.
/// </summary>
internal static unsafe partial class SystemCalls
{
    // In a 64-bit sqlite3_vfs, counted in pointers.
    private const int SetSystemCall = 18, GetSystemCall = 19;

    private static readonly ConcurrentQueue<(string File, int Descriptor)> s_opened = [];

    private static readonly ConcurrentQueue<string> s_directorySyncs = [];

    private static readonly delegate* unmanaged[Cdecl]<byte*, int, int, int> s_open;

    private static readonly delegate* unmanaged[Cdecl]<byte*, int*, int> s_openDirectory;

    private static readonly delegate* unmanaged[Cdecl]<int, byte*, nuint, long, nint> s_read;

    private static volatile int s_diverted = -1, s_readInstead = -1;

    static SystemCalls()
    {
        Schema.OpenWriter(":memory:").Dispose(); // a store configures SQLite, which takes that only before its first use
        s_open = (delegate* unmanaged[Cdecl]<byte*, int, int, int>)Original("open"u8);
        s_openDirectory = (delegate* unmanaged[Cdecl]<byte*, int*, int>)Original("openDirectory"u8);
        Replace("open"u8, (nint)(delegate* unmanaged[Cdecl]<byte*, int, int, int>)&Open);
        Replace("openDirectory"u8, (nint)(delegate* unmanaged[Cdecl]<byte*, int*, int>)&OpenDirectory);
        if (!OperatingSystem.IsLinux())
            return;
        s_read = (delegate* unmanaged[Cdecl]<int, byte*, nuint, long, nint>)Original("pread"u8);
        Replace("pread"u8, (nint)(delegate* unmanaged[Cdecl]<int, byte*, nuint, long, nint>)&Read);
    }

    /// <summary>The files that were opened, in turn.</summary>
    public static IEnumerable<(string File, int Descriptor)> Opened => s_opened;

    /// <summary>The files whose folders were opened to sync them.</summary>
    public static IEnumerable<string> DirectorySyncs => s_directorySyncs;

    /// <summary>Begins to look, at the latest here.</summary>
    public static void Watch()
    {
        // The static constructor does it.
    }

    /// <summary>Reads one file where another is meant, from now on; -1: none.</summary>
    public static void Divert(int descriptor, int readInstead) => (s_readInstead, s_diverted) = (readInstead, descriptor);

    private static nint Original(ReadOnlySpan<byte> call)
    {
        var vfs = Find(null);
        fixed (byte* name = call)
            return ((delegate* unmanaged[Cdecl]<nint*, byte*, nint>)vfs[GetSystemCall])(vfs, name);
    }

    private static void Replace(ReadOnlySpan<byte> call, nint by)
    {
        var vfs = Find(null);
        fixed (byte* name = call)
            Assert.Equal(0, ((delegate* unmanaged[Cdecl]<nint*, byte*, nint, int>)vfs[SetSystemCall])(vfs, name, by));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(byte* file, int flags, int mode)
    {
        var descriptor = s_open(file, flags, mode);
        var error = Marshal.GetLastSystemError();
        s_opened.Enqueue((Marshal.PtrToStringUTF8((nint)file)!, descriptor));
        Marshal.SetLastSystemError(error); // SQLite looks at it
        return descriptor;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OpenDirectory(byte* file, int* descriptor)
    {
        s_directorySyncs.Enqueue(Marshal.PtrToStringUTF8((nint)file)!);
        return s_openDirectory(file, descriptor);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Read(int descriptor, byte* into, nuint count, long offset) =>
        s_read(descriptor == s_diverted ? s_readInstead : descriptor, into, count, offset);

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_vfs_find")]
    private static partial nint* Find(byte* name);
}
