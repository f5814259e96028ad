using System.Runtime.CompilerServices;

namespace FuncStash.Storage;

/// <summary>Reads a range of rows page by page, each of some <see cref="PageSize.Bytes"/>, whatever the rows hold.</summary>
/// <param name="tables">The tables.</param>
/// <param name="table">The table.</param>
/// <param name="partition">The partition.</param>
/// <param name="range">The rows to read.</param>
/// <param name="only">The names of the values to read; null for all, none for the keys alone.</param>
/// <param name="most">The most rows of a page, where some of their values are read.</param>
public sealed class RowPages(
    ITables tables, string table, string partition, RowRange range, IReadOnlyList<string>? only, int most = PageSize.Most)
{
    private PageSize _size = PageSize.For(only);

    /// <summary>True once the last row was read.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>The next rows, in order; none at the end.</summary>
    public async ValueTask<IReadOnlyList<Entity>> NextAsync(CancellationToken cancellation = default)
    {
        if (IsAtEnd)
            return [];
        var take = _size.Rows;
        var page = await tables.QueryAsync(table, partition, range, take, only, cancellation);
        IsAtEnd = page.Count < take;
        if (page.Count > 0)
        {
            range = range with { From = page[^1].RowKey, Exclusive = true };
            _size = _size.After(page, most);
        }
        return page;
    }

    /// <summary>All rows that are left, in order.</summary>
    public async IAsyncEnumerable<Entity> AllAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (!IsAtEnd)
        {
            foreach (var row in await NextAsync(cancellation))
                yield return row;
        }
    }
}

/// <summary>How many rows to read at a time.</summary>
public readonly record struct PageSize
{
    /// <summary>What a page holds, about, in bytes.</summary>
    public const int Bytes = 256 * 1024;

    /// <summary>The most rows of a page that somebody looks at.</summary>
    public const int Most = 64;

    /// <summary>The same where all rows are gone through, and few values of each are read: as many as one operation answers.</summary>
    public const int MostOfFew = 1000;

    // Of rows that hold values, and of keys. The first page of rows is small, for nobody knows yet how big they are.
    private const int First = 16, MostKeys = 500;

    // What a row takes in memory besides its values.
    private const int RowBytes = 200;

    private PageSize(int rows) => Rows = rows;

    public int Rows { get; }

    public static PageSize For(IReadOnlyList<string>? only) => new(only is { Count: 0 } ? MostKeys : First);

    /// <summary>The size of the page after this one.</summary>
    public PageSize After(IReadOnlyList<Entity> page, int most = Most) =>
        Rows == MostKeys || page.Count == 0 ? this
        : new(Math.Clamp((int)(Bytes / ((page.Sum(row => (long)row.Size) / page.Count) + RowBytes)), 1, most));
}
