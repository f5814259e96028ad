namespace FuncStash.Console.Parts;

/// <summary>Which part of a list of names a page shows, as it stands in its address.</summary>
/// <param name="Path">The list, below <c>/console/</c>.</param>
/// <param name="Query">A part of a name.</param>
/// <param name="After">The name after which the page begins; null for the first one.</param>
public sealed record ListSearch(string Path, string Query, string? After)
{
    public const int PageSize = 50;

    public static ListSearch Of(string path, Func<string, string?> value) => new(path, value("q")?.Trim() ?? "", value("after"));

    public string Url
    {
        get
        {
            (string Name, string? Value)[] all = [("q", Query), ("after", After)];
            var parameters = string.Join('&', all.Where(p => !string.IsNullOrEmpty(p.Value)).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"));
            return parameters.Length == 0 ? Path : $"{Path}?{parameters}";
        }
    }

    public bool Has(string name) =>
        (After is null || string.CompareOrdinal(name, After) > 0) && name.Contains(Query, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A page of a list of names.</summary>
/// <param name="Items">What is on it.</param>
/// <param name="Next">The name after which the next page begins; null on the last one.</param>
public sealed record ListPart<T>(IReadOnlyList<T> Items, string? Next);

internal static class ListPart
{
    /// <summary>The first page of those that are left.</summary>
    /// <param name="items">All that fit the search, in the order of their names.</param>
    /// <param name="name">The name of one.</param>
    /// <param name="cancellation">Stops the read.</param>
    public static async ValueTask<ListPart<T>> OfAsync<T>(IAsyncEnumerable<T> items, Func<T, string> name, CancellationToken cancellation)
    {
        var some = await items.Take(ListSearch.PageSize + 1).ToListAsync(cancellation);
        return some.Count > ListSearch.PageSize
            ? new ListPart<T>(some[..ListSearch.PageSize], name(some[ListSearch.PageSize - 1]))
            : new ListPart<T>(some, null);
    }
}
