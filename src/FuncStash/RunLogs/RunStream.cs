using FuncStash.Runs;
using FuncStash.Storage;

namespace FuncStash.RunLogs;

/// <summary>The runs of one partition, newest first, read a page at a time.</summary>
/// <remarks>
/// A run that ends while the list is read changes from one kind of row to the other. Of every stretch of keys the live ones
/// are read first, so that it is seen in one of the two at least; seen in both, it counts once, as the ended one.
/// </remarks>
internal sealed class RunStream(ITables tables, RunStore runs, string partition, string from, bool onlyLive)
{
    // Rows may be large.
    private const int PageSize = 32;

    private string _from = from;
    private IReadOnlyList<Run> _page = [];
    private int _index = -1;
    private bool _last;

    public Run Current => _page[_index];

    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        _index++;
        while (_index >= _page.Count)
        {
            if (_last)
                return false;
            _page = await NextAsync(cancellation);
            _index = 0;
        }
        return true;
    }

    private async ValueTask<IReadOnlyList<Run>> NextAsync(CancellationToken cancellation)
    {
        var live = await RowsAsync(RunRows.Live, null, cancellation);
        // "~" sorts behind every character of an id, so the bound is inclusive.
        var bound = live.Count < PageSize ? null : PositionOf(live[^1]) + "~";
        var ended = onlyLive ? [] : await RowsAsync(RunRows.Ended, bound, cancellation);
        if (ended.Count == PageSize)
            bound = PositionOf(ended[^1]) + "~";
        _last = live.Count < PageSize && ended.Count < PageSize;
        if (bound is not null)
            _from = bound;
        return
        [
            .. ended.Concat(live).Where(row => bound is null || string.CompareOrdinal(PositionOf(row), bound) < 0)
                .DistinctBy(PositionOf).OrderBy(PositionOf, StringComparer.Ordinal).Select(runs.Read),
        ];
    }

    private ValueTask<IReadOnlyList<Entity>> RowsAsync(string kind, string? end, CancellationToken cancellation) => tables.QueryAsync(
        RunRows.Table, partition, new RowRange(kind + _from, end is null ? RowRange.Prefix(kind).To : kind + end, Exclusive: true), PageSize,
        cancellation: cancellation);

    private static string PositionOf(Entity row) => row.RowKey[RunRows.Live.Length..];
}
