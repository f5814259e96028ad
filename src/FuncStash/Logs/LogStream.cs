using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Logs;

/// <summary>An event as it was read, with its message where the same row held that.</summary>
internal readonly record struct ReadEvent(LogEvent Event, StoredMessage? Message);

/// <summary>Events of one partition, newest first, read a page at a time.</summary>
internal abstract class LogStream
{
    private IReadOnlyList<ReadEvent> _page = [];
    private int _index = -1;
    private bool _last;

    public ReadEvent Current => _page[_index];

    /// <summary>The place of the current event in the log; comparable between streams.</summary>
    public string Position => Current.Event.Position;

    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        _index++;
        while (_index >= _page.Count)
        {
            if (_last)
                return false;
            (_page, _last) = await NextPageAsync(cancellation);
            _index = 0;
        }
        return true;
    }

    protected abstract ValueTask<(IReadOnlyList<ReadEvent> Page, bool Last)> NextPageAsync(CancellationToken cancellation);

    /// <summary>The keys behind <paramref name="from"/>, up to but not with <paramref name="to"/>; null for the end.</summary>
    protected static RowRange Range(string kind, string from, string? to) =>
        new(kind + from, to is null ? RowRange.Prefix(kind).To : kind + to, Exclusive: true);
}

/// <summary>The events that have rows of their own.</summary>
internal sealed class EventStream(ITables tables, string partition, string from, string? to) : LogStream
{
    private readonly RowPages _rows =
        new(tables, MessageRows.Table, partition, Range(MessageRows.Event, from, to), MessageRows.ListedEvent);

    protected override async ValueTask<(IReadOnlyList<ReadEvent> Page, bool Last)> NextPageAsync(CancellationToken cancellation)
    {
        var rows = await _rows.NextAsync(cancellation);
        return ([.. rows.Select(row => new ReadEvent(MessageRows.ListedEventFromRow(row), null))], _rows.IsAtEnd);
    }
}

/// <summary>The CREATED events, for which the messages' rows stand.</summary>
/// <remarks>
/// A message that ends while the log is read changes from one kind of row to the other. Of every stretch of keys the live
/// ones are read first, so that it is seen in one of the two at least; seen in both, it counts once.
/// </remarks>
internal sealed class CreatedStream(ITables tables, string partition, string from, string? to) : LogStream
{
    private string _from = from;
    private PageSize _size = PageSize.For(MessageRows.Logged);

    protected override async ValueTask<(IReadOnlyList<ReadEvent> Page, bool Last)> NextPageAsync(CancellationToken cancellation)
    {
        var take = _size.Rows;
        var live = await RowsAsync(MessageRows.Live, to, take, cancellation);
        // "~" sorts behind every character of an id, so the bound is inclusive.
        var bound = live.Count < take ? to : PositionOf(live[^1]) + "~";
        var ended = await RowsAsync(MessageRows.Ended, bound, take, cancellation);
        if (ended.Count == take)
            bound = PositionOf(ended[^1]) + "~";
        _size = _size.After(live.Count > ended.Count ? live : ended);
        if (bound is not null)
            _from = bound;
        var rows = live.Where(row => bound is null || string.CompareOrdinal(PositionOf(row), bound) < 0).Concat(ended)
            .DistinctBy(PositionOf).OrderBy(PositionOf, StringComparer.Ordinal);
        // A follower in an older day's partition has a row for its CREATED event, in the partition of the day.
        var messages = rows.Where(row => !MessageRows.IdOf(row.RowKey).LiesInOlderPartition)
            .Select(MessageRows.TryLookedFromRow).OfType<StoredMessage>();
        return ([.. messages.Select(m => new ReadEvent(MessageStore.CreatedEvent(m.Message), m))], live.Count < take && ended.Count < take);
    }

    private ValueTask<IReadOnlyList<Entity>> RowsAsync(string kind, string? end, int take, CancellationToken cancellation) =>
        tables.QueryAsync(MessageRows.Table, partition, Range(kind, _from, end), take, MessageRows.Logged, cancellation);

    private static string PositionOf(Entity row) => row.RowKey[MessageRows.Live.Length..];
}
