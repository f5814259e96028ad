using System.Text.RegularExpressions;

namespace FuncStash.Tests.Contract;

/// <summary>The tests of all projects, as their sources have them.</summary>
internal static partial class TestSources
{
    /// <summary>The text of each test, its attributes included, under <c>Project/Class.Method</c>.</summary>
    public static Dictionary<string, string> Read()
    {
        var tests = new Dictionary<string, string>(StringComparer.Ordinal);
        var folder = Path.Combine(Root(), "tests");
        foreach (var file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        {
            var parts = Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar);
            if (parts.Contains("obj") || parts.Contains("bin"))
                continue;
            var sections = Start().Split(File.ReadAllText(file));
            if (sections.Length < 2 || Class().Match(sections[0]) is not { Success: true } type)
                continue;
            foreach (var section in sections.Skip(1))
            {
                if (Method().Match(section) is { Success: true } method)
                {
                    var name = $"{parts[0]}/{type.Groups[1].Value}.{method.Groups[1].Value}";
                    tests[name] = tests.GetValueOrDefault(name) + section;
                }
            }
        }
        return tests;
    }

    public static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FuncStash.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("the repository is not around the tests");
    }

    [GeneratedRegex(@"^    \[(?=Fact|Theory)", RegexOptions.Multiline)]
    private static partial Regex Start();

    [GeneratedRegex(@"class (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"^    public (?:async )?[\w<>]+ (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex Method();
}
