using FuncStash.Console;
using FuncStash.Http;

namespace FuncStash.Tests.Protocol;

/// <summary>docs/protocol.md says what the code does, as far as the two can be compared.</summary>
public sealed class ProtocolTests
{
    [Fact]
    public async Task The_route_table_has_the_routes_of_the_code_with_their_access_and_no_others()
    {
        await using var service = new TestService(change: services => services.AddFuncStashConsole());
        var inCode = service.All<IResource>().SelectMany(resource => resource.Routes)
            // The console's pages are no part of the protocol.
            .Where(route => route.Pattern != "/" && !route.Pattern.StartsWith("/console", StringComparison.Ordinal))
            .Select(route => $"{route.Method} {route.Pattern} {route.Access.ToString().ToLowerInvariant()}").ToList();
        var inText = (await MarkdownText.ProtocolAsync()).Table("routes").Select(row => $"{row[0]} {row[1]} {row[2]}").ToList();

        Assert.Equal([], inCode.Except(inText));
        Assert.Equal([], inText.Except(inCode));
        // A row that stands twice would hide behind the sets.
        Assert.Equal(inCode.Count, inText.Count);
    }

    [Fact]
    public async Task Every_route_has_its_section() =>
        Assert.All((await MarkdownText.ProtocolAsync()).Table("routes"), row => Assert.Matches(@"^\[[^\]]+\]\(#[^)]+\)$", row[3]));

    [Fact]
    public async Task Links_to_sections_lead_to_ones_that_are_there()
    {
        var root = Repository.Root;
        var (links, broken) = (0, new List<string>());
        foreach (var file in Directory.GetFiles(Path.Combine(root, "docs"), "*.md").Append(Path.Combine(root, "README.md")))
        {
            foreach (var (other, anchor) in (await MarkdownText.ReadAsync(file)).SectionLinks())
            {
                links++;
                var target = other.Length == 0 ? file : Path.Combine(Path.GetDirectoryName(file)!, other);
                if (!File.Exists(target) || !(await MarkdownText.ReadAsync(target)).Anchors().Contains(anchor))
                    broken.Add($"{Path.GetRelativePath(root, file)}: {other}#{anchor}");
            }
        }

        Assert.Equal([], broken);
        Assert.NotEqual(0, links);
    }

    [Fact]
    public void Anchors_are_those_that_GitHub_makes()
    {
        var text = new MarkdownText(
            "# The `GET /v2` call\n\n## Retry-After\n## Pause, resume and *delete*\n```\n# no heading\n```\n"
            + "## Retry-After\n### A [link](#x) in it\n#tag\n## größe_1\n");

        Assert.Equal(
            ["the-get-v2-call", "retry-after", "pause-resume-and-delete", "retry-after-1", "a-link-in-it", "größe_1"],
            text.Anchors());
    }
}
