using System.Text;
using FuncStash.Cli.Terminals;
using FuncStash.Client.Tests;

namespace FuncStash.Cli.Tests;

/// <summary>What a run of the command came to.</summary>
internal sealed record Ran(int Code, string Out, string Error)
{
    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Its output, where it ended well.</summary>
    public string Well => Code == ExitCode.Done ? Out : throw new InvalidOperationException($"exit code {Code}: {Error}{Out}");
}

/// <summary>The command in the tests' own process, and as a process.</summary>
internal static class Funcstash
{
    public static string Dll => Repository.Built("src/FuncStash.Cli", "FuncStash.Cli.dll");

    /// <summary>Runs it with a server's settings in the environment, its output piped, and nobody there to ask.</summary>
    public static Task<Ran> RunAsync(EmbeddedServer server, params string[] args) => RunAsync(server.Settings, args);

    public static async Task<Ran> RunAsync(Dictionary<string, string> settings, string[] args, byte[]? input = null, CancellationToken cancellation = default)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var terminal = TerminalOf(settings, output, error, input);
        var code = await new CommandLine(terminal).RunAsync(args, cancellation);
        return new Ran(code, output.ToString(), error.ToString());
    }

    public static Terminal TerminalOf(Dictionary<string, string> settings, TextWriter output, TextWriter error, byte[]? input = null) =>
        new(output, error, new MemoryStream(input ?? []), name => settings.GetValueOrDefault(name), TimeProvider.System);

    /// <summary>A server that <c>funcstash serve</c> started, its data in memory.</summary>
    public static async Task<(ChildProcess Process, Dictionary<string, string> Settings)> ServeAsync()
    {
        var process = ChildProcess.Start("dotnet", [Dll, "serve", "--port", "0", "--data", ":memory:"], new Dictionary<string, string?>
        {
            ["QSTASH_TOKEN"] = EmbeddedServer.Token, ["QSTASH_CURRENT_SIGNING_KEY"] = EmbeddedServer.CurrentKey,
            ["QSTASH_NEXT_SIGNING_KEY"] = EmbeddedServer.NextKey, ["FUNCSTASH_CHECK_HOSTS"] = "false",
        });
        var url = (await process.WaitForLineAsync(line => line.StartsWith("QSTASH_URL=", StringComparison.Ordinal))).Split('=', 2)[1].Trim();
        return (process, new() { ["QSTASH_URL"] = url, ["QSTASH_TOKEN"] = EmbeddedServer.Token });
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
