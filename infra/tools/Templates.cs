using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FuncStash.Infra.Check;

/// <summary>The Bicep files: no diagnostics, one layout, nothing from a registry, and parameters that azd can fill.</summary>
internal static partial class Templates
{
    /// <returns>False when there is no compiled template, so that nothing can be said of the deployment.</returns>
    public static bool Check(Checks checks, Bicep bicep, string infra)
    {
        var build = bicep.Build();
        checks.That("every Bicep file builds without a warning", Quiet(build));
        checks.That("every Bicep file passes lint", Quiet(bicep.Run(["lint", "--no-restore", "--pattern", "**/*.bicep"])));
        checks.That("every Bicep file is laid out as `bicep format` does", bicep.Misformatted());
        checks.That("no Bicep file needs a registry, so none needs a network",
            Directory.EnumerateFiles(infra, "*.bicep", SearchOption.AllDirectories)
                .SelectMany(file => Registry().Matches(File.ReadAllText(file)).Select(match => $"{file}: {match.Value}")));
        if (build.Code != 0)
            return false;
        checks.That("main.parameters.json fills every parameter of main.bicep from a variable", Parameters(bicep, infra));
        return true;
    }

    /// <summary>Variables of azd's environment by the parameter they fill.</summary>
    public static Dictionary<string, string> Variables(string infra) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(infra, "main.parameters.json")))!["parameters"]!.AsObject().ToDictionary(
            entry => entry.Key, entry => Variable().Match((string)entry.Value!["value"]!).Groups[1].Value);

    private static IEnumerable<string> Quiet((int Code, string Out, string Error) run) =>
        run.Code == 0 && run.Error.Length == 0 ? [] : [$"exit code {run.Code}\n{run.Error}"];

    private static IEnumerable<string> Parameters(Bicep bicep, string infra)
    {
        var declared = bicep.Template("main.bicep")["parameters"]!.AsObject().Select(entry => entry.Key);
        var variables = Variables(infra);
        return Checks.Same("main.bicep", declared, "main.parameters.json", variables.Keys)
            .Concat(variables.Where(entry => entry.Value.Length == 0).Select(entry => $"{entry.Key} is not ${{VARIABLE}}"))
            .Concat(variables.Values.CountBy(name => name).Where(entry => entry.Value > 1).Select(entry => $"{entry.Key} fills two"));
    }

    [GeneratedRegex(@"'(br|ts)[:/][^']*'")]
    private static partial Regex Registry();

    [GeneratedRegex(@"^\$\{([A-Z][A-Z0-9_]*)\}$")]
    private static partial Regex Variable();
}
