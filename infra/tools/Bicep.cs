using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;

namespace FuncStash.Infra.Check;

/// <summary>The Bicep compiler that NuGet restored. It answers without a network: there is no module of a registry here.</summary>
internal sealed class Bicep(string infra) : IDisposable
{
    private readonly string _compiler = Compiler();
    private readonly DirectoryInfo _compiled = Directory.CreateTempSubdirectory("funcstash-bicep");

    /// <summary>Runs the compiler, in the infra folder if no other is given.</summary>
    public (int Code, string Out, string Error) Run(IEnumerable<string> arguments, string input = "", string? folder = null)
    {
        var start = new ProcessStartInfo(_compiler, arguments)
        {
            WorkingDirectory = folder ?? infra,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    /// <summary>Compiles all files, for <see cref="Template"/>.</summary>
    public (int Code, string Out, string Error) Build() =>
        Run(["build", "--no-restore", "--pattern", "**/*.bicep", "--outdir", _compiled.FullName]);

    /// <summary>What a file was compiled to.</summary>
    public JsonNode Template(string file) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(_compiled.FullName, Path.ChangeExtension(file, ".json"))))!;

    /// <summary>Lays out copies of the files and tells which of them change by it.</summary>
    public IEnumerable<string> Misformatted()
    {
        var copies = _compiled.CreateSubdirectory("copies").FullName;
        var files = Directory.GetFiles(infra, "*.bicep", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(infra, file)).ToList();
        foreach (var file in files.Append("bicepconfig.json"))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copies, file))!);
            File.Copy(Path.Combine(infra, file), Path.Combine(copies, file));
        }

        var (code, _, error) = Run(["format", "--pattern", "**/*.bicep"], folder: copies);
        return files.Where(file => File.ReadAllText(Path.Combine(copies, file)) != File.ReadAllText(Path.Combine(infra, file)))
            .Select(file => $"run: bicep format infra/{file}").Concat(code == 0 ? [] : [error]);
    }

    /// <summary>
    /// The resources a deployment would make, expressions worked out as far as they do not need Azure.
    /// </summary>
    /// <param name="parameters">Bicep lines such as <c>param vnetEnabled = true</c>.</param>
    public IReadOnlyList<JsonNode> Resources(params string[] parameters)
    {
        // Beside main.bicep, because `using` takes a relative path and bicepconfig.json is looked up from there.
        var file = Path.Combine(infra, $"check-{Guid.NewGuid():N}.bicepparam");
        var snapshot = Path.ChangeExtension(file, ".snapshot.json");
        try
        {
            string[] always =
            [
                "using 'main.bicep'", "param environmentName = 'check'", "param location = 'westeurope'",
                "param principalId = '11111111-1111-4111-8111-111111111111'",
            ];
            File.WriteAllLines(file, always.Concat(parameters));
            var (code, _, error) = Run(
                ["snapshot", file, "--mode", "overwrite", "--location", "westeurope",
                    "--subscription-id", "22222222-2222-4222-8222-222222222222"]);
            if (code != 0)
                throw new InvalidOperationException($"bicep snapshot: {error}");
            return [.. JsonNode.Parse(File.ReadAllText(snapshot))!["predictedResources"]!.AsArray().Select(node => node!)];
        }
        finally
        {
            File.Delete(file);
            File.Delete(snapshot);
        }
    }

    public void Dispose() => _compiled.Delete(recursive: true);

    private static string Compiler()
    {
        var tools = typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(attribute => attribute.Key == "BicepTools").Value!;
        var path = Path.Combine(tools, "bicep");
        // NuGet does not always mark it executable.
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute);
        return path;
    }
}
