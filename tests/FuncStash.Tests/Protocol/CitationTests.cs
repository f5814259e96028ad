using System.Text.RegularExpressions;

namespace FuncStash.Tests.Protocol;

/// <summary>
/// Comments give the source of a rule as <c>protocol#</c> and the anchor of a section of docs/protocol.md, or as the section
/// of a standard: <c>RFC 9110 §5.3</c>. So a reader finds every source that is cited.
/// </summary>
public sealed partial class CitationTests
{
    private static readonly string[] s_folders = ["src", "tests", "bench", "infra"];

    [Fact]
    public async Task Every_section_that_a_comment_cites_is_there()
    {
        var anchors = (await MarkdownText.ProtocolAsync()).Anchors().ToHashSet(StringComparer.Ordinal);
        var cited = Comments()
            .SelectMany(comment => Citation().Matches(comment.Text).Select(c => (comment.Place, Anchor: c.Groups[1].Value))).ToList();

        Assert.NotEmpty(cited);
        AssertNone(cited.Where(c => !anchors.Contains(c.Anchor)).Select(c => $"{c.Place}: no section #{c.Anchor}"));
    }

    [Fact]
    public void A_numbered_section_is_one_of_a_standard_that_is_named() =>
        AssertNone(Comments().Where(comment => Nameless().IsMatch(comment.Text)).Select(c => $"{c.Place}: {c.Text}"));

    private static void AssertNone(IEnumerable<string> wrong) => Assert.True(!wrong.Any(), string.Join('\n', wrong));

    private static IEnumerable<(string Place, string Text)> Comments()
    {
        var root = Repository.Root;
        var files = s_folders.SelectMany(folder =>
            Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories));
        foreach (var file in files)
        {
            var name = Path.GetRelativePath(root, file);
            var parts = name.Split(Path.DirectorySeparatorChar);
            if (parts.Contains("obj") || parts.Contains("bin"))
                continue;
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                if (Comment().Match(line) is { Success: true } comment)
                    yield return ($"{name}:{number}", comment.Value.Trim());
            }
        }
    }

    // A URL in a text is no comment.
    [GeneratedRegex(@"(^|\s)//.*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"protocol(?:\.md)?#([\w-]+)")]
    private static partial Regex Citation();

    [GeneratedRegex(@"(?<!RFC \d+ |W3C [\w ]+ )§")]
    private static partial Regex Nameless();
}
