using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FuncStash.Sqlite.Sql;

/// <summary>
/// SQLite's file layer (https://sqlite.org/vfs.html) as it is, save that the write-ahead log is written through
/// <see cref="LogFile"/>. For Linux; elsewhere SQLite's own is used.
/// </summary>
internal static unsafe partial class LogVfs
{
    private const int Ok = 0, Full = 13, WriteFailed = 10 | (3 << 8), SyncFailed = 10 | (4 << 8), OpenWal = 0x80000;

    /// <summary>Of the two structures below, since SQLite 3.7.17: another one may be longer.</summary>
    private const int Version = 3;

    private const int SyncNormal = 2, NoSpace = 28; // ENOSPC

    private static readonly Lazy<string?> s_registered = new(Register);

    private static Vfs* s_original;

    /// <summary>The name to open the writer's connection with; null: the default.</summary>
    public static string? Name => s_registered.Value;

    private static string? Register()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        s_original = Find(null);
        if (s_original is null || s_original->Version != Version)
            return null;
        var vfs = (Vfs*)NativeMemory.Alloc((nuint)sizeof(Vfs)); // for the life of the process
        *vfs = *s_original;
        vfs->FileSize = Extra + sizeof(FileExtra);
        vfs->Next = null;
        vfs->Name = Marshal.StringToCoTaskMemUTF8("funcstash");
        vfs->Open = &Open;
        return Register(vfs, makeDefault: 0) == Ok ? "funcstash" : null;
    }

    /// <summary>Where, behind the original's part of a file, ours begins.</summary>
    private static int Extra => (s_original->FileSize + 7) & ~7;

    private static LogFile Log(Methods** file) => (LogFile)GCHandle.FromIntPtr(ExtraOf(file)->Log).Target!;

    private static Methods* OriginalOf(Methods** file) => ExtraOf(file)->Original;

    private static FileExtra* ExtraOf(Methods** file) => (FileExtra*)((byte*)file + Extra);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(Vfs* vfs, byte* name, Methods** file, int flags, int* outFlags)
    {
        var code = s_original->Open(s_original, name, file, flags, outFlags);
        if (code != Ok || (flags & OpenWal) == 0 || (*file)->Version != Version)
            return code;

        // SQLite's first sync of a log syncs its folder too, and ours does not: so here, while the sync is SQLite's own. It
        // also makes durable what a killed process had not synced, before anybody reads it.
        code = (*file)->Sync(file, SyncNormal);
        if (code != Ok)
            return code; // SQLite closes the file
        try
        {
            var log = new LogFile(Marshal.PtrToStringUTF8((nint)name)!);
            var methods = (Methods*)NativeMemory.Alloc((nuint)sizeof(Methods));
            *methods = **file;
            methods->Close = &Close;
            methods->Read = &Read;
            methods->Write = &Write;
            methods->Truncate = &Truncate;
            methods->Sync = &Sync;
            methods->Size = &Size;
            *ExtraOf(file) = new FileExtra { Original = *file, Log = GCHandle.ToIntPtr(GCHandle.Alloc(log)) };
            *file = methods;
            return Ok;
        }
        catch (Exception)
        {
            return Ok; // SQLite's own way of writing will do
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(Methods** file)
    {
        var code = Flush(file);
        var (methods, handle) = ((nint)(*file), GCHandle.FromIntPtr(ExtraOf(file)->Log));
        ((LogFile)handle.Target!).Dispose();
        handle.Free();
        *file = OriginalOf(file);
        NativeMemory.Free((void*)methods);
        var closed = (*file)->Close(file);
        return code == Ok ? closed : code;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(Methods** file, byte* bytes, int count, long offset)
    {
        try
        {
            Log(file).Write(new ReadOnlySpan<byte>(bytes, count), offset);
            return Ok;
        }
        catch (Exception e)
        {
            return IsFull(e) ? Full : WriteFailed;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(Methods** file, int flags)
    {
        try
        {
            Log(file).Sync();
            return Ok;
        }
        catch (Exception e)
        {
            return IsFull(e) ? Full : SyncFailed;
        }
    }

    private static bool IsFull(Exception e) => e is IOException { HResult: NoSpace };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(Methods** file, byte* bytes, int count, long offset) =>
        Flush(file) is not Ok and var code ? code : OriginalOf(file)->Read(file, bytes, count, offset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(Methods** file, long size) =>
        Flush(file) is not Ok and var code ? code : OriginalOf(file)->Truncate(file, size);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Size(Methods** file, long* size) =>
        Flush(file) is not Ok and var code ? code : OriginalOf(file)->Size(file, size);

    private static int Flush(Methods** file)
    {
        try
        {
            Log(file).Flush();
            return Ok;
        }
        catch (Exception)
        {
            return WriteFailed;
        }
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_vfs_find")]
    private static partial Vfs* Find(byte* name);

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_vfs_register")]
    private static partial int Register(Vfs* vfs, int makeDefault);

    /// <summary>What we add to the log's sqlite3_file.</summary>
    private struct FileExtra
    {
        public Methods* Original;
        public nint Log;
    }

    /// <summary>The parts of sqlite3_vfs.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Vfs
    {
        public int Version, FileSize, MaxPath;
        public Vfs* Next;
        public nint Name, AppData;
        public delegate* unmanaged[Cdecl]<Vfs*, byte*, Methods**, int, int*, int> Open;
        public Rest Others;

        [InlineArray(15)]
        public struct Rest
        {
            private nint _first;
        }
    }

    /// <summary>The parts of sqlite3_io_methods; a sqlite3_file begins with a pointer to them.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Methods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<Methods**, int> Close;
        public delegate* unmanaged[Cdecl]<Methods**, byte*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<Methods**, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<Methods**, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<Methods**, int, int> Sync;
        public delegate* unmanaged[Cdecl]<Methods**, long*, int> Size;
        public Rest Others;

        [InlineArray(12)]
        public struct Rest
        {
            private nint _first;
        }
    }
}
