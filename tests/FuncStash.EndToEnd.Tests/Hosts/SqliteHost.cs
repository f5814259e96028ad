namespace FuncStash.EndToEnd.Tests.Hosts;

/// <summary>The embedded server: one process, one file.</summary>
public sealed class SqliteHost : ServerHost
{
    public override string Name => "Server+SQLite";

    public override Task<DataStore> NewDataAsync() => Task.FromResult<DataStore>(new Folder());

    private sealed class Folder : DataStore
    {
        private readonly string _path = Directory.CreateTempSubdirectory("funcstash-").FullName;

        public override IReadOnlyList<string> Arguments => ["--data", _path, "--storage", "sqlite"];

        public override ValueTask DisposeAsync()
        {
            Directory.Delete(_path, recursive: true);
            return ValueTask.CompletedTask;
        }
    }
}
