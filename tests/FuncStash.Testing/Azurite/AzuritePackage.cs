using System.Diagnostics;

namespace FuncStash.Testing;

/// <summary>The folder tests/FuncStash.Testing/Azurite of the repository, with Azurite installed in its node_modules.</summary>
internal static class AzuritePackage
{
    /// <summary>Installs Azurite if need be; several test processes may ask at once.</summary>
    /// <exception cref="InvalidOperationException">Node.js or npm is missing, or the installation failed.</exception>
    public static async Task<string> InstallAsync(TimeProvider time)
    {
        var folder = Find();
        if (IsInstalled(folder))
            return folder;
        using var turn = await LockAsync(folder, time);
        if (!IsInstalled(folder))
            await RunNpmAsync(folder);
        return folder;
    }

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "tests", "FuncStash.Testing", "Azurite", "package.json")))
                return Path.Combine(at.FullName, "tests", "FuncStash.Testing", "Azurite");
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds tests/FuncStash.Testing/Azurite/package.json.");
    }

    // npm writes this file last, and the project's own file is newer when another version is wanted.
    private static bool IsInstalled(string folder)
    {
        var done = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"));
        return done.Exists && done.LastWriteTimeUtc >= File.GetLastWriteTimeUtc(Path.Combine(folder, "package.json"));
    }

    private static async Task<FileStream> LockAsync(string folder, TimeProvider time)
    {
        Directory.CreateDirectory(Path.Combine(folder, "obj"));
        while (true)
        {
            try
            {
                return new FileStream(
                    Path.Combine(folder, "obj", "install.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), time);
            }
        }
    }

    private static async Task RunNpmAsync(string folder)
    {
        var isWindows = OperatingSystem.IsWindows();
        var start = new ProcessStartInfo(isWindows ? "cmd" : "npm")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (isWindows)
            start.ArgumentList.Add("/c npm");
        foreach (var argument in new[] { "ci", "--ignore-scripts", "--no-audit", "--no-fund" })
            start.ArgumentList.Add(argument);
        using var npm = Start(start, "npm");
        var output = npm.StandardOutput.ReadToEndAsync();
        var errors = npm.StandardError.ReadToEndAsync();
        await npm.WaitForExitAsync();
        if (npm.ExitCode != 0)
            throw new InvalidOperationException(
                $"npm could not install Azurite in {folder} (exit code {npm.ExitCode}):\n{await output}{await errors}");
    }

    public static Process Start(ProcessStartInfo start, string what)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(
                $"The storage tests need Node.js 20 or later with npm, but {what} could not be started: {e.Message}", e);
        }
    }
}
