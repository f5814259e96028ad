using FuncStash.EndToEnd.Tests.Hosts;

namespace FuncStash.EndToEnd.Tests.Sdk;

/// <summary>Installs what package-lock.json names, once, however many test processes start together.</summary>
internal static class NodeModules
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static async Task EnsureAsync()
    {
        await using var turn = await TakeTurnAsync();
        var locked = new FileInfo(Path.Combine(Repository.NodeFolder, "package-lock.json"));
        var installed = new FileInfo(Path.Combine(Repository.NodeFolder, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= locked.LastWriteTimeUtc)
            return;
        await using var npm = ChildProcess.Start("npm", ["ci"], folder: Repository.NodeFolder, tree: true);
        if (await npm.ExitAsync(Patience) != 0)
            throw new InvalidOperationException("npm ci failed:\n" + npm.Output);
    }

    private static async Task<FileStream> TakeTurnAsync()
    {
        var path = Path.Combine(Repository.NodeFolder, ".npm-ci.lock");
        using var expiry = new CancellationTokenSource(Patience, TimeProvider.System);
        while (true)
        {
            try
            {
                return new FileStream(
                    path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, expiry.Token);
            }
        }
    }
}
