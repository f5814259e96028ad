using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Admission;

/// <summary>The delayed messages of a queue that have not come to it yet, by the time they are due.</summary>
/// <remarks>
/// Workers come to messages that are due together in any order. So each has a row from its acceptance until it gets in line,
/// and nobody due after it is let in before it. That is an aid to the order alone: it is waited for no longer than
/// <see cref="PatienceMs"/> after it was due, or the process started. Where it is not stored, for its publisher died before that, it
/// is waited for no longer than so after it was published; and not at all where that was a process before this one, and there is no
/// other. The rows change with the gate's state, in one commit.
/// </remarks>
internal sealed class ExpectedLine
{
    private const long PatienceMs = 10_000;

    // So many are looked at in one commit, and so many that did not come are given up, for whose rows there is room in any.
    private const int Most = 50, MostGivenUp = 3;

    private readonly GateContext _context;
    private readonly string _partition;
    private readonly long _since, _now;
    private readonly HashSet<string> _added = new(StringComparer.Ordinal), _removed = new(StringComparer.Ordinal), _absent = new(StringComparer.Ordinal);
    private readonly List<string> _orders = [];
    // When the first of those that were not read is due, or before that; null when there is none.
    private long? _unreadAt;
    private int _givenUp;
    private bool _isCut;

    private ExpectedLine(GateContext context, string partition, long? nextAt, long now) =>
        // A start in the future was that of a clock which was set back.
        (_context, _since, _partition, _unreadAt, _now) = (context, context.Since > now ? 0 : context.Since, partition, nextAt, now);

    /// <summary>Those that are there while one of them is due, a few at a time.</summary>
    /// <param name="context">What all gates share.</param>
    /// <param name="partition">The gate's.</param>
    /// <param name="nextAt">When the first of them is due, or before that, in unix milliseconds; null when there is none.</param>
    /// <param name="now">Unix milliseconds.</param>
    public static async ValueTask<ExpectedLine> ReadAsync(GateContext context, string partition, long? nextAt, long now)
    {
        var line = new ExpectedLine(context, partition, nextAt, now);
        if (nextAt <= now)
            await line.ReadAsync();
        return line;
    }

    /// <summary>The place of the first that is due, and is waited for or may have to be; null when there is none.</summary>
    public string? First => _orders.Find(order => GivenUpAt(order) > _now) is { } first
        ? LineOrder.TimeOf(first) <= _now ? first : null
        : _unreadAt <= _now ? _orders.LastOrDefault() : null;

    /// <summary>Whether more has to be given up, in another commit, before it is known who is waited for.</summary>
    public bool IsPart => _isCut || (First is { } first && GivenUpAt(first) <= _now);

    /// <summary>When the first of them is due, or before that, in unix milliseconds; null when there is none.</summary>
    public long? NextAt => _added.Concat(_orders.Take(1)).Select(order => (long?)LineOrder.TimeOf(order)).Append(_unreadAt).Min();

    public IEnumerable<Write> Writes =>
    [
        .. _removed.Select(order => new Write.Delete(GateRows.ExpectedPrefix + order, null)),
        .. _added.Select(order => new Write.Upsert(GateRows.ToExpectedRow(_partition, order))),
    ];

    public int Count => _removed.Count + _added.Count;

    /// <summary>Whether somebody at a place has to wait until another has come: that one is due before it, and both are due.</summary>
    public bool IsBehind(string order, string first) => string.CompareOrdinal(order, first) > 0 && LineOrder.TimeOf(order) <= _now;

    /// <summary>Until when one that is due is waited for, in unix milliseconds.</summary>
    public long GivenUpAt(string order)
    {
        if (!_absent.Contains(order))
            return Math.Max(LineOrder.TimeOf(order), _since) + PatienceMs;
        var publishedAt = MessageId.Parse(LineOrder.MessageOf(order)).CreatedAt;
        return publishedAt < _since && !_context.Store.IsShared ? 0 : publishedAt + PatienceMs;
    }

    /// <summary>Looks whether those that somebody at a place has to wait for are stored at all.</summary>
    public async ValueTask LookForAsync(IEnumerable<string> places)
    {
        var all = places.ToList();
        while (First is { } first && GivenUpAt(first) > _now && !_absent.Contains(first) && all.Exists(place => IsBehind(place, first)))
        {
            if (_isCut = _givenUp == MostGivenUp)
                return;
            var id = MessageId.Parse(LineOrder.MessageOf(first));
            var key = MessageRows.Key(MessageRows.Live, id);
            if (await _context.Store.Tables.GetAsync(MessageRows.Table, MessageRows.Partition(id), key, only: []) is not null)
                return;
            _absent.Add(first);
            GiveUp();
        }
    }

    /// <summary>One was accepted.</summary>
    public void Add(string order)
    {
        if (!_removed.Contains(order))
            _added.Add(order);
    }

    /// <summary>One has come, or will not come.</summary>
    public async ValueTask RemoveAsync(string order)
    {
        _added.Remove(order);
        if (_orders.Remove(order) || (_unreadAt is not null && !_removed.Contains(order) && await IsThereAsync(order)))
            _removed.Add(order);
    }

    private async ValueTask ReadAsync()
    {
        var rows = await _context.Store.Tables.QueryAsync(GateRows.Table, _partition, RowRange.Prefix(GateRows.ExpectedPrefix), Most, only: []);
        _orders.AddRange(rows.Select(row => row.RowKey[GateRows.ExpectedPrefix.Length..]));
        _unreadAt = rows.Count < Most ? null : LineOrder.TimeOf(_orders[^1]);
        GiveUp();
    }

    private void GiveUp()
    {
        foreach (var order in _orders.TakeWhile(order => GivenUpAt(order) <= _now).Take(MostGivenUp - _givenUp).ToList())
        {
            _orders.Remove(order);
            _removed.Add(order);
            _givenUp++;
        }
    }

    private async ValueTask<bool> IsThereAsync(string order) =>
        await _context.Store.Tables.GetAsync(GateRows.Table, _partition, GateRows.ExpectedPrefix + order, only: []) is not null;
}
