namespace FuncStash.Storage.Tests.Costs;

/// <summary>The tables of costs in docs/operations.md: each from its header to the next empty line.</summary>
internal static class CostTable
{
    public const string OnServer = """
        | Per message | Queue operations | Table operations | Blob operations | $ per million |
        |---|---|---|---|---|
        """;

    public const string OnFunctions = """
        | Per message on Functions | Queue operations | Table operations | Blob operations | $ per million |
        |---|---|---|---|---|
        """;

    public const string Rates = """
        | Messages a second | Operations a second | Storage accounts | Work queues |
        |---|---|---|---|
        """;

    /// <param name="header">Of which table.</param>
    /// <param name="table">All of it, as it was measured.</param>
    public static void AssertDocumented(string header, string table)
    {
        var file = Find();
        var text = File.ReadAllText(file);
        var start = text.IndexOf(header.Split('\n')[0], StringComparison.Ordinal);
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
