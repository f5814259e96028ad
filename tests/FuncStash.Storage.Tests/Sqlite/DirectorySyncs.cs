using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>
/// The files whose folders SQLite opens to sync them: that is one of the system calls which its file layer allows to be
/// replaced (https://sqlite.org/c3ref/vfs.html).
/// </summary>
internal sealed unsafe partial class DirectorySyncs : IDisposable
{
    // In a 64-bit sqlite3_vfs, counted in pointers.
    private const int SetSystemCall = 18, GetSystemCall = 19;

    private static readonly ConcurrentBag<string> s_seen = [];

    private static delegate* unmanaged[Cdecl]<byte*, int*, int> s_original;

    public DirectorySyncs()
    {
        var vfs = Find(null);
        fixed (byte* name = "openDirectory"u8)
            s_original = (delegate* unmanaged[Cdecl]<byte*, int*, int>)
                ((delegate* unmanaged[Cdecl]<nint*, byte*, nint>)vfs[GetSystemCall])(vfs, name);
        Replace((nint)(delegate* unmanaged[Cdecl]<byte*, int*, int>)&Open);
    }

    /// <summary>The files, of any test.</summary>
    public static IEnumerable<string> Files => s_seen;

    public void Dispose() => Replace(0);

    private static void Replace(nint call)
    {
        var vfs = Find(null);
        fixed (byte* name = "openDirectory"u8)
            Assert.Equal(0, ((delegate* unmanaged[Cdecl]<nint*, byte*, nint, int>)vfs[SetSystemCall])(vfs, name, call));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(byte* file, int* handle)
    {
        s_seen.Add(Marshal.PtrToStringUTF8((nint)file)!);
        return s_original(file, handle);
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_vfs_find")]
    private static partial nint* Find(byte* name);
}
