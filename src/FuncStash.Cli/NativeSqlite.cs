using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace FuncStash.Cli;

/// <summary>
/// SQLite's library inside the one file of a release that is compiled ahead of time. It is loaded from memory: nothing is unpacked to a
/// disk, which may be read-only or anybody's.
/// </summary>
internal static partial class NativeSqlite
{
    private const string Name = "libe_sqlite3.so";

    private static readonly Lazy<nint> s_loaded = new(Load);

    // memfd_create(2): closed in child processes, and may be run. Kernels before 6.3 do not know the second.
    private const uint CloseOnExec = 1, Executable = 0x10;

    /// <summary>Has SQLite found in this file, where it is in there and may be loaded; else where a .NET program finds its libraries.</summary>
    public static void FindHere()
    {
        if (!OperatingSystem.IsLinux() || typeof(NativeSqlite).Assembly.GetManifestResourceInfo(Name) is null)
            return;
        NativeLibrary.SetDllImportResolver(
            typeof(SQLite3Provider_e_sqlite3).Assembly, (library, _, _) => library == "e_sqlite3" ? s_loaded.Value : 0);
    }

    private static nint Load()
    {
        var descriptor = CreateMemoryFile(Name, CloseOnExec | Executable);
        if (descriptor < 0)
            descriptor = CreateMemoryFile(Name, CloseOnExec);
        if (descriptor < 0)
            return 0;
        using var content = new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        using (var resource = typeof(NativeSqlite).Assembly.GetManifestResourceStream(Name)!)
            resource.CopyTo(content);
        return NativeLibrary.TryLoad($"/proc/self/fd/{descriptor}", out var library) ? library : 0;
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);
}
