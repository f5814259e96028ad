using System.Text.RegularExpressions;

namespace FuncStash.Client.Tests.Examples;

/// <summary>The code in the packages' READMEs is that of examples which run.</summary>
public sealed partial class ReadmeTests
{
    [Theory]
    [InlineData("FuncStash.Client")]
    [InlineData("FuncStash.AspNetCore")]
    public void Its_code_runs_elsewhere(string package)
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "examples"), "Program.cs", SearchOption.AllDirectories)
            .Select(file => Lines(File.ReadAllText(file))).ToList();
        var blocks = Code().Matches(File.ReadAllText(Path.Combine(Repository.Root, "src", package, "README.md")))
            .Select(block => Lines(block.Groups[1].Value)).ToList();

        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.True(sources.Exists(source => source.Contains(block, StringComparison.Ordinal)), "in no example:\n" + block));
    }

    // How far a line is indented depends on where it stands.
    private static string Lines(string code) => string.Join('\n', code.Trim().Split('\n').Select(line => line.Trim()));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
