using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Azure;

/// <summary>Where the partitions of days lie: one that the service calls <c>20260301-5</c> lies in <c>5-20260301</c>.</summary>
/// <remarks>
/// Table storage spreads a table over servers by ranges of partition keys. With the day in front all that is written lies at
/// one end of the table, and at midnight at a new one. An account of before keeps the days it has where they are: which day
/// is the first to lie so is noted once, in the table of days, for all processes.
/// </remarks>
internal sealed class DayPartitions(ITables tables, TimeProvider time)
{
    // The table in which the service notes the days that have partitions, and its partition that has those.
    private const string Table = "days", Days = "days";

    private const string Order = "order", Row = "shard-first", FirstDay = "FirstDay";
    private const int DayLength = 8;

    // The version of the data from which on new accounts know no other order.
    private const long Version = 4;

    private readonly Lock _gate = new();
    private Task<string>? _first;

    /// <summary>The key that a partition has in the account.</summary>
    public async ValueTask<string> KeyOfAsync(string partition, CancellationToken cancellation)
    {
        if (!IsOfDay(partition))
            return partition;
        Task<string> first;
        lock (_gate)
        {
            // What one caller gives up is read on for the others.
            if (_first is null or { IsFaulted: true } or { IsCanceled: true })
                _first = FirstAsync();
            first = _first;
        }
        var day = partition[..DayLength];
        return string.CompareOrdinal(day, await first.WaitAsync(cancellation)) < 0 ? partition : $"{partition[^1]}-{day}";
    }

    private static bool IsOfDay(string partition) => partition.Length == DayLength + 2 && partition[DayLength] == '-'
        && char.IsAsciiDigit(partition[^1]) && !partition.AsSpan(0, DayLength).ContainsAnyExceptInRange('0', '9');

    private async Task<string> FirstAsync()
    {
        while (true)
        {
            if (await tables.GetAsync(Table, Order, Row) is { } noted)
                return noted.Text(FirstDay)!;
            // From here on no program that does not know of it opens the account.
            await DataVersion.EnsureAsync(tables);
            var first = await DataVersion.BornAsync(tables) >= Version ? "" : await FirstOfBeforeAsync();
            var row = new Entity(Order, Row, new Dictionary<string, object> { [FirstDay] = first });
            if ((await tables.CommitAsync(new Commit(Table, Order, [new Write.Insert(row)]))).Applied)
                return first;
        }
    }

    // Those that still run may be at work for two more days, and none of the days there are is ahead of it, whatever this clock says.
    private async Task<string> FirstOfBeforeAsync()
    {
        var days = await tables.QueryAsync(Table, Days, RowRange.Prefix(""), 10_000, only: []);
        var last = days.Count == 0 ? 0 : MessageId.DayFromText(days[^1].RowKey);
        var today = MessageId.DayOf(time.GetUtcNow().ToUnixTimeMilliseconds());
        return MessageId.DayText(Math.Max(last + 1, today + 3));
    }
}
