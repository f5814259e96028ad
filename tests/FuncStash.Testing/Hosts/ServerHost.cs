using System.Globalization;
using System.Text.RegularExpressions;

namespace FuncStash.Testing;

/// <summary>FuncStash.Server as its own process.</summary>
public abstract partial class ServerHost : HostFixture
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(60);

    public override Task<RunningHost> StartAsync(DataStore data, int port = 0, Credentials? credentials = null) =>
        StartAsync(data, port, credentials, "dotnet");

    /// <summary>Starts one under limits of the system.</summary>
    /// <param name="data">Its data.</param>
    /// <param name="limits">What a shell runs before it, such as <c>ulimit -n 640</c>.</param>
    /// <param name="mounts">Whether it gets file systems of its own, which the shell can mount without being root.</param>
    public static Task<RunningHost> StartWithinAsync(DataStore data, string limits, bool mounts = false)
    {
        string[] shell = ["/bin/sh", "-c", limits + """ && exec dotnet "$0" "$@" """];
        return mounts
            ? StartAsync(data, 0, null, "unshare", ["--map-root-user", "--mount", .. shell])
            : StartAsync(data, 0, null, shell[0], shell[1..]);
    }

    private static async Task<RunningHost> StartAsync(
        DataStore data, int port, Credentials? credentials, string file, params string[] arguments)
    {
        credentials ??= Credentials.Development;
        var process = ChildProcess.Start(
            file,
            [.. arguments, Repository.ServerDll, "--port", port.ToString(CultureInfo.InvariantCulture), .. data.Arguments],
            new Dictionary<string, string?>(data.Environment)
            {
                ["QSTASH_TOKEN"] = credentials.Token,
                ["QSTASH_CURRENT_SIGNING_KEY"] = credentials.CurrentSigningKey,
                ["QSTASH_NEXT_SIGNING_KEY"] = credentials.NextSigningKey,
                // Names of tests need not exist; what becomes of those that do not is another test.
                ["FUNCSTASH_CHECK_HOSTS"] = data.Environment.GetValueOrDefault("FUNCSTASH_CHECK_HOSTS") ?? "false",
            });
        try
        {
            await process.WaitForLineAsync(line => Ready().IsMatch(line), s_startTimeout);
            var url = await process.WaitForLineAsync(line => Url().IsMatch(line), s_startTimeout);
            return new RunningHost(process, new Uri(Url().Match(url).Groups[1].Value), credentials);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    // The SDK waits for the same line before it uses a server it started (protocol#development-server).
    [GeneratedRegex(@"runn+ing( at|\.)", RegexOptions.IgnoreCase)]
    private static partial Regex Ready();

    [GeneratedRegex(@"QSTASH_URL=(http://\S+?)/?\s*$")]
    private static partial Regex Url();
}
