using FuncStash.Headers;

namespace FuncStash.Tests.Protocol;

/// <summary>The table of request headers in docs/protocol.md is the one in the code.</summary>
/// <remarks><c>FUNCSTASH_UPDATE_DOCS=1</c> writes it anew.</remarks>
public sealed class HeaderTableTests
{
    private const string Begin = "<!-- headers:begin -->", End = "<!-- headers:end -->";

    [Fact]
    public void The_header_table_of_the_document_is_that_of_the_code()
    {
        var path = Path.Combine(Repository.Root, "docs", "protocol.md");
        var text = File.ReadAllText(path);
        var (start, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(start >= 0 && end > start);
        var expected = $"{Begin}\n{Table()}";
        if (Environment.GetEnvironmentVariable("FUNCSTASH_UPDATE_DOCS") == "1")
            File.WriteAllText(path, text[..start] + expected + text[end..]);
        else
            Assert.Equal(expected, text[start..end]);
    }

    private static string Table() => string.Concat(
        Rows().Prepend("|---|---|---|---|---|").Prepend("| Header | Value | Default | Effect | Where |").Select(row => row + "\n"));

    private static IEnumerable<string> Rows()
    {
        const Places Bodies = Places.Publish | Places.Group | Places.Schedule;
        foreach (var header in HeaderTable.OfTheBody)
            yield return Row(header.Name, "[bytes](#header-names)", "none", header.Effect, Bodies);
        yield return Row(
            HeaderTable.ForwardPrefix + "<Name>", "[bytes](#header-names)", "", "header `<Name>` of the delivery; may be repeated",
            Places.Everywhere);
        foreach (var header in HeaderTable.Settings)
            yield return Row(header.Name, header.Value, header.Default, header.Effect, header.Places);
        foreach (var header in HeaderTable.Callbacks)
        {
            yield return Row(
                header.Name + "-<Setting>", "as the setting", "", $"[setting](#callback-settings) of `{header.Name}`, where C stands", header.Places);
        }
    }

    private static string Row(string name, string value, string byDefault, string effect, Places places)
    {
        var letters = string.Join(' ', "PGSCR".Where((_, bit) => places.HasFlag((Places)(1 << bit))));
        return $"| `{name}` | {value} | {byDefault} | {effect} | {letters} |".Replace("|  |", "| |", StringComparison.Ordinal);
    }
}
