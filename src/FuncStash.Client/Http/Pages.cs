using System.Runtime.CompilerServices;

namespace FuncStash.Client;

/// <summary>Goes through the pages of a list.</summary>
internal static class Pages
{
    /// <summary>A page; an empty cursor, which the service sometimes sends at the end, is none.</summary>
    public static CursorPage<T> Of<T>(IReadOnlyList<T>? items, string? cursor) => new(items ?? [], cursor is { Length: > 0 } ? cursor : null);

    public static async IAsyncEnumerable<T> AllAsync<T>(
        Func<string?, CancellationToken, Task<CursorPage<T>>> read, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? cursor = null;
        do
        {
            var page = await read(cursor, cancellation).ConfigureAwait(false);
            foreach (var item in page.Items)
                yield return item;
            cursor = page.Cursor;
        }
        while (cursor is not null);
    }
}
