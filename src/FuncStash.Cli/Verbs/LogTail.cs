using System.Runtime.CompilerServices;
using FuncStash.Client;

namespace FuncStash.Cli.Verbs;

/// <summary>The end of the log, as it grows.</summary>
internal static class LogTail
{
    /// <summary>How often the service is asked.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How late an entry may come into the log, after its time, and still be told: entries are written in groups.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromSeconds(30);

    /// <summary>Tells the latest entries, and each that comes, once, in the order of their times as far as they come in it.</summary>
    /// <param name="logs">The log.</param>
    /// <param name="filter">Which entries.</param>
    /// <param name="backlog">How many of those that are there already; 0 for all that match.</param>
    /// <param name="time">The clock of the waits.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="QStashRequestException">The service refused; that it does not answer for a while ends nothing.</exception>
    public static async IAsyncEnumerable<LogEntry> FollowAsync(
        LogsClient logs, LogFilter filter, int backlog, TimeProvider time, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // An entry has no id of its own. Two that are alike in all of this can only be told apart by their number.
        var told = new Dictionary<(DateTimeOffset, string, LogState, string?), int>();
        var (latest, floor) = (DateTimeOffset.MinValue, DateTimeOffset.MinValue);
        for (var first = true; ; first = false)
        {
            if (!first)
                await Task.Delay(Interval, time, cancellation);
            List<LogEntry> page;
            try
            {
                var since = first || latest == DateTimeOffset.MinValue ? filter : filter with { FromDate = Later(filter.FromDate, latest - Late) };
                page = await logs.ListAsync(since, 1000, cancellationToken: cancellation).Limited(first ? backlog : 0).ToListAsync(cancellation);
            }
            catch (QStashRequestException failure) when (!first && Failure.Code(failure) == ExitCode.Unreachable)
            {
                continue;
            }

            page.Reverse();
            // What was there before and was not asked for is not told later either.
            if (first && page.Count == backlog && backlog > 0)
                floor = page[0].Time;
            var seen = new Dictionary<(DateTimeOffset, string, LogState, string?), int>();
            foreach (var entry in page)
            {
                var key = (entry.Time, entry.MessageId, entry.State, entry.Error);
                seen[key] = seen.GetValueOrDefault(key) + 1;
                if (seen[key] <= told.GetValueOrDefault(key) || (!first && entry.Time <= floor))
                    continue;
                told[key] = seen[key];
                if (entry.Time > latest)
                    latest = entry.Time;
                yield return entry;
            }

            foreach (var key in told.Keys.Where(key => key.Item1 < latest - (2 * Late)).ToList())
                told.Remove(key);
        }
    }

    private static DateTimeOffset Later(DateTimeOffset? one, DateTimeOffset other) => one > other ? one.Value : other;
}
