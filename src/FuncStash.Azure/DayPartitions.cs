using System.Globalization;
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
    // As the service notes the days that have partitions.
    private const string Days = "days";

    private const string Order = "order", Row = "shard-first", FirstDay = "FirstDay";
    private const string Format = "yyyyMMdd";

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
        var day = partition[..Format.Length];
        return string.CompareOrdinal(day, await first.WaitAsync(cancellation)) < 0 ? partition : $"{partition[^1]}-{day}";
    }

    private static bool IsOfDay(string partition) => partition.Length == Format.Length + 2 && partition[Format.Length] == '-'
        && char.IsAsciiDigit(partition[^1]) && !partition.AsSpan(0, Format.Length).ContainsAnyExceptInRange('0', '9');

    private async Task<string> FirstAsync()
    {
        while (true)
        {
            if (await tables.GetAsync(Days, Order, Row) is { } noted)
                return noted.Text(FirstDay)!;
            // From here on no program that does not know of it may open the account.
            await DataVersion.EnsureAsync(tables);
            var known = await tables.QueryAsync(Days, Days, RowRange.Prefix(""), 1, only: []);
            // Two days from now no such program runs any more, whatever its clock says.
            var first = known.Count == 0 ? "" : time.GetUtcNow().AddDays(2).ToString(Format, CultureInfo.InvariantCulture);
            var row = new Entity(Order, Row, new Dictionary<string, object> { [FirstDay] = first });
            if ((await tables.CommitAsync(new Commit(Days, Order, [new Write.Insert(row)]))).Applied)
                return first;
        }
    }
}
