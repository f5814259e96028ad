using System.ComponentModel;

namespace FuncStash.Testing;

/// <summary>The Python of this machine. What it lacks is not installed by the tests.</summary>
internal static class Python
{
    /// <param name="modules">Such as <c>qstash</c>.</param>
    public static async Task<bool> CanImportAsync(string modules)
    {
        try
        {
            await using var look = ChildProcess.Start("python3", ["-c", "import " + modules]);
            return await look.ExitAsync(TimeSpan.FromSeconds(30)) == 0;
        }
        catch (Win32Exception)
        {
            return false; // There is none.
        }
    }
}
