namespace FuncStash.Storage;

/// <summary>Rows by table, partition key and row key, with versions. Tables exist as soon as they are named.</summary>
/// <remarks>Every call throws <see cref="ArgumentException"/> for what cannot be a key (<see cref="EntityKeys"/>), before it asks the store.</remarks>
public interface ITables
{
    /// <summary>Reads one row; null when it is not there.</summary>
    ValueTask<Entity?> GetAsync(string table, string partitionKey, string rowKey, CancellationToken cancellation = default) =>
        GetAsync(table, partitionKey, rowKey, null, cancellation);

    /// <summary>Reads some values of one row; null when it is not there.</summary>
    /// <param name="table">The table.</param>
    /// <param name="partitionKey">The partition.</param>
    /// <param name="rowKey">The row.</param>
    /// <param name="only">The names of the values to read; null for all, none for the keys and the version alone.</param>
    /// <param name="cancellation">Stops the read.</param>
    ValueTask<Entity?> GetAsync(
        string table, string partitionKey, string rowKey, IReadOnlyList<string>? only, CancellationToken cancellation = default);

    /// <summary>Reads rows of one partition in ascending ordinal order of their row keys.</summary>
    /// <param name="table">The table.</param>
    /// <param name="partitionKey">The partition.</param>
    /// <param name="range">Which rows.</param>
    /// <param name="take">At most so many.</param>
    /// <param name="only">The names of the values to read; null for all, none for the keys and the versions alone.</param>
    /// <param name="cancellation">Stops the read.</param>
    /// <returns>At most <paramref name="take"/> rows; fewer only when the range is exhausted.</returns>
    ValueTask<IReadOnlyList<Entity>> QueryAsync(
        string table, string partitionKey, RowRange range, int take, IReadOnlyList<string>? only = null,
        CancellationToken cancellation = default);

    /// <summary>
    /// Applies a commit. An acknowledged commit survives the loss of the process and of the machine's power.
    /// </summary>
    /// <remarks>
    /// Cancelled, it was not applied or is applied in full, its sends included; where those are requests of their own, it
    /// can be cancelled only before it begins.
    /// </remarks>
    /// <exception cref="ArgumentException">More writes or bytes than <see cref="Commit"/> allows.</exception>
    ValueTask<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation = default);
}

/// <summary>A range of row keys: from (inclusive unless <paramref name="Exclusive"/>) to (exclusive, null: no end).</summary>
public readonly record struct RowRange(string From, string? To, bool Exclusive = false)
{
    /// <summary>All keys that start with <paramref name="prefix"/>.</summary>
    public static RowRange Prefix(string prefix) => new(prefix, End(prefix));

    /// <summary>The keys that start with <paramref name="prefix"/> and come after <paramref name="key"/>.</summary>
    public static RowRange PrefixAfter(string prefix, string key) => new(key, End(prefix), Exclusive: true);

    private static string? End(string prefix) =>
        prefix.Length == 0 ? null : string.Concat(prefix.AsSpan(0, prefix.Length - 1), [(char)(prefix[^1] + 1)]);
}
