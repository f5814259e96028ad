using System.Text.RegularExpressions;

namespace FuncStash.Tests.Protocol;

/// <summary>A document in Markdown: its tables, its links, and the anchors that its headings have on GitHub.</summary>
/// <param name="text">The document's text.</param>
internal sealed partial class MarkdownText(string text)
{
    /// <summary>docs/protocol.md.</summary>
    public static Task<MarkdownText> ProtocolAsync() => ReadAsync(Path.Combine(Repository.Root, "docs", "protocol.md"));

    public static async Task<MarkdownText> ReadAsync(string path) => new(await File.ReadAllTextAsync(path));

    /// <summary>
    /// The anchors in order: the heading in lower case, less what is no letter, digit, hyphen or underscore, with a
    /// hyphen for each space; one that was there before gets a number.
    /// </summary>
    public IReadOnlyList<string> Anchors()
    {
        var anchors = new List<string>();
        foreach (Match heading in Heading().Matches(CodeBlock().Replace(text, "")))
        {
            var plain = Link().Replace(heading.Groups[1].Value, "$1").ToLowerInvariant();
            var anchor = NotInAnchor().Replace(plain, "").Replace(' ', '-');
            var numbered = anchor;
            for (var number = 1; anchors.Contains(numbered); number++)
                numbered = $"{anchor}-{number}";
            anchors.Add(numbered);
        }
        return anchors;
    }

    /// <summary>The links to sections: the other document, empty for this one, and the anchor.</summary>
    public IEnumerable<(string File, string Anchor)> SectionLinks() =>
        SectionLink().Matches(text).Select(link => (link.Groups[1].Value, link.Groups[2].Value));

    /// <summary>The rows of the table between two markers, each as its cells without code marks; without the head.</summary>
    public IReadOnlyList<string[]> Table(string name)
    {
        var start = text.IndexOf($"<!-- {name}:begin -->", StringComparison.Ordinal);
        var end = text.IndexOf($"<!-- {name}:end -->", StringComparison.Ordinal);
        Assert.True(start >= 0 && end > start, $"there is no table {name} between its markers");
        return
        [
            .. text[start..end].Split('\n').Where(line => line.StartsWith('|')).Skip(2)
                .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
                .Select(cells => Array.ConvertAll(cells, cell => cell.Replace("`", "", StringComparison.Ordinal))),
        ];
    }

    [GeneratedRegex(@"^#{1,6}\s+(.+?)\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\]\(((?:[\w./-]+\.md)?)#([^)]+)\)")]
    private static partial Regex SectionLink();

    [GeneratedRegex(@"[^\p{L}\p{Nd} _-]")]
    private static partial Regex NotInAnchor();
}
