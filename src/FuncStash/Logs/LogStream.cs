using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Logs;

/// <summary>The rows of one kind in one partition, newest first, read a page at a time.</summary>
internal sealed class LogStream(ITables tables, string partition, string kind, string from, string? to)
{
    private const int PageSize = 128;

    private IReadOnlyList<Entity> _rows = [];
    private int _index;
    private bool _last;
    private RowRange _range = new(kind + from, to is null ? RowRange.Prefix(kind).To : kind + to, Exclusive: true);

    public Entity? Current => _index < _rows.Count ? _rows[_index] : null;

    /// <summary>The current row's position in the log; comparable between streams.</summary>
    public string Position => Current!.RowKey[kind.Length..];

    public bool IsEvents => kind == MessageRows.Event;

    public async ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        if (++_index < _rows.Count)
            return true;
        if (_last)
            return false;
        _rows = await tables.QueryAsync(MessageRows.Table, partition, _range, PageSize, cancellation: cancellation);
        _last = _rows.Count < PageSize;
        _index = 0;
        if (_rows.Count > 0)
            _range = _range with { From = _rows[^1].RowKey };
        return _rows.Count > 0;
    }

    /// <summary>Reads the first page.</summary>
    public ValueTask<bool> StartAsync(CancellationToken cancellation)
    {
        _index = -1;
        return MoveNextAsync(cancellation);
    }
}
