using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace FuncStash.Infra.Check;

/// <summary>Settings: what the code and the deployment use, the sample explains and docs/operations.md lists.</summary>
internal static partial class Settings
{
    private const string Sample = "local.settings.sample.json";

    public static void Check(Checks checks, Bicep bicep, string root)
    {
        var infra = Path.Combine(root, "infra");
        var values = JsonNode.Parse(File.ReadAllText(Path.Combine(root, Sample)))!["Values"]!.AsObject()
            .ToDictionary(entry => entry.Key, entry => (string)entry.Value!);
        var explained = values.Where(entry => entry.Key.StartsWith("//", StringComparison.Ordinal) && entry.Key.Length > 2)
            .Select(entry => entry.Key[2..]).ToHashSet(StringComparer.Ordinal);
        var deployed = Name().Matches(bicep.Template("main.bicep").ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            .Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var docs = File.ReadAllText(Path.Combine(root, "docs/operations.md"));
        var listed = Rows(docs, "Settings").ToDictionary(row => row[0].Trim('`'), row => row[1], StringComparer.Ordinal);

        checks.That($"{Sample} gives every setting with text below its explanation",
            values.Where(entry => entry.Key.StartsWith("//", StringComparison.Ordinal) && entry.Value.Length < 10).Select(entry => $"{entry.Key} explains nothing")
                .Concat(values.Keys.Where(key => !key.StartsWith("//", StringComparison.Ordinal) && !explained.Contains(key)).Select(key => $"{key} has no //{key}")));
        checks.That("every setting that the app's code names is explained", Used(root).Except(explained).Select(name => $"{name} is not in {Sample}"));
        checks.That("the deployment sets every FuncStash setting that is explained, and only those", Checks.Same(
            "infra/main.bicep", deployed.Where(Own), Sample, explained.Where(Own)));
        checks.That("every setting of the platform that the deployment sets is explained", deployed.Except(explained));
        checks.That("docs/operations.md lists the settings that are explained", Checks.Same(Sample, explained, "docs/operations.md", listed.Keys));
        checks.That("defaults are the same in infra/main.bicep, the sample and the docs", Defaults(bicep, infra, values, listed));
        checks.That("docs/operations.md names every variable that azd takes", Templates.Variables(infra).Values
            .Where(variable => !Section(docs, "Deploying with azd").Contains($"`{variable}`", StringComparison.Ordinal)));
    }

    /// <summary>The text of a second-level section of a Markdown file.</summary>
    public static string Section(string markdown, string title) =>
        markdown.Split("\n## ").Single(section => section.StartsWith(title + "\n", StringComparison.Ordinal));

    /// <summary>The cells of each row of the tables in a section, without the header.</summary>
    public static IEnumerable<string[]> Rows(string markdown, string title) => Section(markdown, title).Split('\n')
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Trim('|', ' ').Split(" | ").Select(cell => cell.Trim()).ToArray());

    private static bool Own(string name) =>
        name.StartsWith("QSTASH_", StringComparison.Ordinal) || name.StartsWith("FUNCSTASH_", StringComparison.Ordinal);

    private static IEnumerable<string> Used(string root)
    {
        string[] projects = ["src/FuncStash", "src/FuncStash.Azure", "src/FuncStash.Functions"];
        var code = projects.Select(project => Path.Combine(root, project)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));
        return code.Append(Path.Combine(root, "host.json"))
            .SelectMany(file => Literal().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).Distinct();
    }

    private static IEnumerable<string> Defaults(
        Bicep bicep, string infra, Dictionary<string, string> sample, Dictionary<string, string> listed)
    {
        var declared = bicep.Template("main.bicep")["parameters"]!;
        foreach (var (parameter, variable) in Templates.Variables(infra))
        {
            // Local development delivers to this machine, so its networks differ on purpose; a flag is not the setting itself.
            if (!sample.TryGetValue(variable, out var value) || variable is "FUNCSTASH_ALLOWED_NETWORKS" or "FUNCSTASH_READONLY_TOKEN")
                continue;
            var inBicep = declared[parameter]!["defaultValue"]!.ToString();
            if (inBicep != value || (value.Length > 0 && listed.GetValueOrDefault(variable) != $"`{value}`"))
                yield return $"{variable}: main.bicep {inBicep}, sample {value}, docs {listed.GetValueOrDefault(variable)}";
        }
    }

    // App settings in the compiled template are keys of createObject(...) expressions.
    [GeneratedRegex(@"'((?:QSTASH|FUNCSTASH|APPLICATIONINSIGHTS|AZURE)_[A-Z_]+|AzureWebJobs\w+|FUNCTIONS_\w+|WEBSITE_\w+)',")]
    private static partial Regex Name();

    [GeneratedRegex("""["%]((?:QSTASH|FUNCSTASH)_[A-Z_]+)["%]""")]
    private static partial Regex Literal();
}
