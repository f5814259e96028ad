using System.Diagnostics;
using YamlDotNet.Serialization;

namespace FuncStash.Infra.Check;

/// <summary>azure.yaml and its hooks: what `azd up` reads.</summary>
internal static class Azd
{
    private static readonly string[] s_keys = ["name", "metadata", "requiredVersions", "infra", "services", "hooks"];
    private static readonly string[] s_secretNames = ["qstash-token", "qstash-current-signing-key", "qstash-next-signing-key"];

    public static void Check(Checks checks, string root)
    {
        var azure = new DeserializerBuilder().WithDuplicateKeyChecking().Build()
            .Deserialize<Dictionary<string, object>>(File.ReadAllText(Path.Combine(root, "azure.yaml")));
        var services = Map(azure["services"]);
        var api = Map(services["api"]);

        checks.That("azure.yaml deploys the Functions project as service api",
            azure.Keys.Except(s_keys).Select(key => $"unknown key {key}")
                .Concat(Checks.Equal("name", "funcstash", azure["name"]))
                .Concat(Checks.Equal("services", 1, services.Count))
                .Concat(Checks.Equal("project", "src/FuncStash.Functions", api["project"]))
                .Concat(Checks.Equal("language", "dotnet", api["language"]))
                .Concat(Checks.Equal("host", "function", api["host"])));
        checks.That("the hooks of azure.yaml are there, for both kinds of shell", Hooks(azure, root));
        checks.That("the hook prints the URL and how to read the secrets, and reads none itself", Prints(root));
        checks.That("the hook says so when it is not run by azd", RunHook(root, url: null, vault: null) is (not 0, _, var error)
            && error.Contains("azd hooks run", StringComparison.Ordinal) ? [] : ["it ran without QSTASH_URL"]);
    }

    private static Dictionary<object, object> Map(object value) => (Dictionary<object, object>)value;

    private static IEnumerable<string> Hooks(Dictionary<string, object> azure, string root)
    {
        var hooks = Map(azure["hooks"]).SelectMany(hook => Map(hook.Value).Select(kind => (Kind: (string)kind.Key, Hook: Map(kind.Value)))).ToList();
        return Checks.Same("azure.yaml", hooks.Select(hook => $"{hook.Kind} {hook.Hook["shell"]}"), "azd", ["posix sh", "windows pwsh"])
            .Concat(hooks.Where(hook => !File.Exists(Path.Combine(root, (string)hook.Hook["run"]))).Select(hook => $"no {hook.Hook["run"]}"));
    }

    private static IEnumerable<string> Prints(string root)
    {
        var (code, output, error) = RunHook(root, "https://func-check.azurewebsites.net", "kv-check");
        var expected = s_secretNames.Select(name => $"az keyvault secret show --vault-name kv-check --name {name} ")
            .Append("QSTASH_URL=https://func-check.azurewebsites.net");
        var windows = File.ReadAllText(Path.Combine(root, "infra/hooks/show-access.ps1"));
        return Checks.Equal("exit code", 0, code).Concat(Checks.Equal("error output", "", error))
            .Concat(expected.Where(text => !output.Contains(text, StringComparison.Ordinal)).Select(text => $"does not print {text}"))
            .Concat(s_secretNames.Where(name => !windows.Contains($"$(Read-Secret {name})", StringComparison.Ordinal)).Select(name => $"show-access.ps1 lacks {name}"));
    }

    /// <summary>Runs the hook where <c>az</c> is a program that makes it fail.</summary>
    private static (int Code, string Out, string Error) RunHook(string root, string? url, string? vault)
    {
        var folder = Directory.CreateTempSubdirectory("funcstash-hook");
        try
        {
            var az = Path.Combine(folder.FullName, "az");
            File.WriteAllText(az, "#!/bin/sh\necho az was called >&2\nexit 9\n");
            File.SetUnixFileMode(az, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var start = new ProcessStartInfo("/bin/sh", [Path.Combine(root, "infra/hooks/show-access.sh")])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["QSTASH_URL"] = url;
            start.Environment["AZURE_KEY_VAULT_NAME"] = vault;
            start.Environment["PATH"] = $"{folder.FullName}:/usr/bin:/bin";
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, error.Result);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
