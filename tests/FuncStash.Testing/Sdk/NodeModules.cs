
namespace FuncStash.Testing;

/// <summary>Installs what package-lock.json names, once, however many test processes start together.</summary>
internal static class NodeModules
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    /// <param name="folder">The folder of package.json and package-lock.json.</param>
    public static async Task EnsureAsync(string folder)
    {
        await using var turn = await TakeTurnAsync(folder);
        var locked = new FileInfo(Path.Combine(folder, "package-lock.json"));
        var installed = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= locked.LastWriteTimeUtc)
            return;
        await using var npm = ChildProcess.Start("npm", ["ci"], folder: folder, tree: true);
        if (await npm.ExitAsync(s_patience) != 0)
            throw new InvalidOperationException("npm ci failed:\n" + npm.Output);
    }

    private static async Task<FileStream> TakeTurnAsync(string folder)
    {
        var path = Path.Combine(folder, ".npm-ci.lock");
        using var expiry = new CancellationTokenSource(s_patience, TimeProvider.System);
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
