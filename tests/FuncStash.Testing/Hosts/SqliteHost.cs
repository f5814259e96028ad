using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;

namespace FuncStash.Testing;

/// <summary>The embedded server: one process, one file.</summary>
public sealed class SqliteHost : ServerHost
{
    public override string Name => "Server+SQLite";

    public override Task<DataStore> NewDataAsync() => Task.FromResult<DataStore>(new Folder());

    public override async Task<(DataStore, JsonNode)> OldDataAsync()
    {
        var folder = new Folder();
        await using var packed = new GZipStream(File.OpenRead(Repository.OldData("sqlite-1.tar.gz")), CompressionMode.Decompress);
        await TarFile.ExtractToDirectoryAsync(packed, folder.Path, overwriteFiles: false);
        return (folder, Repository.OldContents("sqlite-1.json"));
    }

    private sealed class Folder : DataStore
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("funcstash-").FullName;

        public override IReadOnlyList<string> Arguments => ["--data", Path, "--storage", "sqlite"];

        public override ValueTask DisposeAsync()
        {
            Directory.Delete(Path, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
