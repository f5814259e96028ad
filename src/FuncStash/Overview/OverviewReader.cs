using FuncStash.DeadLetters;
using FuncStash.Destinations;
using FuncStash.FlowControl;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Queues;
using FuncStash.Settings;
using FuncStash.Wire;

namespace FuncStash.Overview;

/// <summary>Reads what goes on (protocol#overview): of everything so much that it takes no longer with a million messages.</summary>
public sealed class OverviewReader(
    LogReader log, MessageStore messages, DeadLetterStore letters, QueueService queues, FlowControlService keys,
    OldestDueReader oldest, DestinationLanes lanes, FuncStashOptions options, TimeProvider time)
{
    public const int MaxCount = 1_000, Minutes = 60;

    private const int MaxEvents = 4_000, MaxFailures = 40, MaxGates = 500, MaxSlow = 5;
    private const long MinuteMs = 60_000;

    public async ValueTask<ServiceOverview> ReadAsync(CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).ToUnixTimeMilliseconds();
        return new ServiceOverview(
            await RecentAsync(now.ToUnixTimeMilliseconds(), cancellation),
            await letters.CountAsync(today, MaxCount, cancellation),
            await queues.ListAsync(cancellation).Take(MaxGates).Where(queue => queue.Paused).ToListAsync(cancellation),
            await keys.ListAsync(null, cancellation).Take(MaxGates).Where(key => key.Paused).ToListAsync(cancellation),
            [.. lanes.Slow().OrderBy(lane => lane.Places).Take(MaxSlow).Select(lane => lane with { Host = UrlParts.Of(lane.Host).Host })],
            await oldest.ReadAsync(cancellation), lanes.InFlight, options.MaxParallelism);
    }

    private async ValueTask<RecentActivity> RecentAsync(long now, CancellationToken cancellation)
    {
        var since = ((now / MinuteMs) - Minutes + 1) * MinuteMs;
        var events = new List<LogEvent>();
        await foreach (var item in log.EventsAsync(since, cancellation))
        {
            if (events.Count == MaxEvents)
                return await ActivityAsync(events, Math.Max(since, events[^1].Time), now, isCut: true, cancellation);
            events.Add(item);
        }
        return await ActivityAsync(events, since, now, isCut: false, cancellation);
    }

    private async ValueTask<RecentActivity> ActivityAsync(
        IReadOnlyList<LogEvent> events, long since, long now, bool isCut, CancellationToken cancellation)
    {
        var first = ((now / MinuteMs) - Minutes + 1) * MinuteMs;
        var minutes = events.ToLookup(item => (int)Math.Clamp((item.Time - first) / MinuteMs, 0, Minutes - 1));
        return new RecentActivity(
            [.. Enumerable.Range(0, Minutes).Select(minute => CountOf(minutes[minute]))],
            LatencyOf(events), await FailingAsync(events, cancellation), since, isCut);
    }

    private static MinuteCount CountOf(IEnumerable<LogEvent> events)
    {
        var count = new MinuteCount(0, 0, 0, 0);
        foreach (var item in events)
        {
            count = item.State switch
            {
                MessageState.Created => count with { Accepted = count.Accepted + 1 },
                MessageState.Delivered => count with { Delivered = count.Delivered + 1 },
                MessageState.Error => count with { FailedAttempts = count.FailedAttempts + 1 },
                MessageState.Failed => count with { Failed = count.Failed + 1 },
                _ => count,
            };
        }
        return count;
    }

    // From the attempt's start where it was retried or delayed; else from the acceptance, which its id tells.
    private static List<long> LatencyOf(IReadOnlyList<LogEvent> events)
    {
        var started = new Dictionary<(string, int), long>();
        foreach (var item in events.Where(item => item.State == MessageState.Active))
            started[(item.Message, item.Number)] = item.Time;
        var latency = events.Where(item => item.State == MessageState.Delivered)
            .Select(item => started.TryGetValue((item.Message, item.Number - 1), out var at) ? item.Time - at : (long?)null)
            .OfType<long>().Select(ms => Math.Max(0, ms)).ToList();
        latency.Sort();
        return latency;
    }

    private async ValueTask<IReadOnlyList<(string Host, int Failures, string? Error)>> FailingAsync(
        IReadOnlyList<LogEvent> events, CancellationToken cancellation)
    {
        var errors = events.Where(item => item.State == MessageState.Error).Take(MaxFailures * 5).ToList();
        var looked = await Task.WhenAll(errors.Select(item => item.Message).Distinct().Take(MaxFailures)
            .Select(id => messages.LookAsync(MessageId.Parse(id), cancellation).AsTask()));
        var hosts = looked.OfType<StoredMessage>().ToDictionary(stored => stored.Id.Text, stored => UrlParts.Of(stored.Message.Url).Host);
        return [.. errors.Where(item => hosts.ContainsKey(item.Message)).GroupBy(item => hosts[item.Message])
            .Select(group => (group.Key, group.Count(), group.First().Error)).OrderByDescending(host => host.Item2).Take(5)];
    }
}
