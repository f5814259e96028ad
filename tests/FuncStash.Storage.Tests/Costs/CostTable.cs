namespace FuncStash.Storage.Tests.Costs;

/// <summary>The table of costs in docs/operations.md: from its header to the next empty line.</summary>
internal static class CostTable
{
    public const string Header = """
        | Per message | Queue operations | Table operations | Blob operations | $ per million |
        |---|---|---|---|---|
        """;

    public static void AssertDocumented(string table)
    {
        var file = Find();
        var text = File.ReadAllText(file);
        var start = text.IndexOf(Header.Split('\n')[0], StringComparison.Ordinal);
        Assert.True(start >= 0, $"{file} has no table of costs");
        var end = text.IndexOf("\n\n", start, StringComparison.Ordinal);
        end = end < 0 ? text.TrimEnd().Length : end;
        if (Environment.GetEnvironmentVariable("FUNCSTASH_WRITE_DOCS") == "1")
            File.WriteAllText(file, text[..start] + table + text[end..]);
        else
            Assert.Equal(table, text[start..end]);
    }

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var file = Path.Combine(at.FullName, "docs", "operations.md");
            if (File.Exists(file))
                return file;
        }
        throw new FileNotFoundException($"No folder above {AppContext.BaseDirectory} holds docs/operations.md.");
    }
}
