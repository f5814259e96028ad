using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Logs;

/// <summary>Lists the log: merges the partitions of a day, newest first, day by day.</summary>
public sealed class LogReader(IStore store, MessageStore messages)
{
    private static readonly string[] s_kinds = [MessageRows.Event, MessageRows.Live, MessageRows.Ended];

    public async ValueTask<LogPage> ListAsync(LogQuery query, CancellationToken cancellation = default)
    {
        var scan = query.EarliestFirst ? EarliestFirst(query, cancellation) : LatestFirst(query, cancellation);
        var entries = new List<LogEntry>();
        await foreach (var entry in scan)
        {
            if (entries.Count == query.Count)
                return new LogPage(entries, entries[^1].Event.Position);
            entries.Add(entry);
        }
        return new LogPage(entries, null);
    }

    private IAsyncEnumerable<LogEntry> LatestFirst(LogQuery query, CancellationToken cancellation)
    {
        var from = query.After ?? LogPosition.At(query.Filter.ToDate ?? long.MaxValue);
        // The position at one millisecond earlier sorts behind every event of the first millisecond wanted.
        var to = query.Filter.FromDate is { } first ? LogPosition.At(first - 1) : null;
        return ScanAsync(query, from, to, cancellation);
    }

    // Rows sort newest first, so the log is read in slices of time from its start, each turned round.
    private async IAsyncEnumerable<LogEntry> EarliestFirst(
        LogQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        const int SliceMax = 2_000;
        var days = await Days.ListAsync(store.Tables, cancellation);
        if (days.Count == 0)
            yield break;
        var start = Math.Max(query.Filter.FromDate ?? 0, days[0] * 86_400_000L);
        if (query.After is { } after)
            start = Math.Max(start, LogPosition.TimeOf(after));
        var end = Math.Min(query.Filter.ToDate ?? long.MaxValue, ((days[^1] + 1) * 86_400_000L) - 1);
        var width = 60_000L;
        while (start <= end)
        {
            var last = Math.Min(end, start + width - 1);
            var slice = new List<LogEntry>();
            var tooMany = false;
            await foreach (var entry in ScanAsync(query, LogPosition.At(last), LogPosition.At(start - 1), cancellation))
            {
                slice.Add(entry);
                tooMany = slice.Count > SliceMax && width > 1;
                if (tooMany)
                    break;
            }
            if (tooMany)
            {
                width = Math.Max(1, width / 4);
                continue;
            }
            slice.Reverse();
            foreach (var entry in slice)
            {
                if (query.After is null || string.CompareOrdinal(entry.Event.Position, query.After) < 0)
                    yield return entry;
            }
            start = last + 1;
            if (slice.Count < SliceMax / 4)
                width *= 4;
        }
    }

    private async IAsyncEnumerable<LogEntry> ScanAsync(
        LogQuery query, string from, string? to,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var known = new Dictionary<string, Message?>(StringComparer.Ordinal);
        var days = await Days.ListAsync(store.Tables, cancellation);
        var newest = MessageId.DayOf(LogPosition.TimeOf(from));
        var oldest = to is null ? 0 : MessageId.DayOf(LogPosition.TimeOf(to));
        var (ids, shards, oldestOfIds) = Restrict(query.MessageIds);
        foreach (var day in days.Reverse().Where(d => d <= newest && d >= Math.Max(oldest, oldestOfIds)))
        {
            await foreach (var item in MergeAsync(day, shards, from, to, cancellation))
            {
                if (ids is not null && !ids.Contains(item.Message))
                    continue;
                if (query.States.Count > 0 && !query.States.Contains(item.State))
                    continue;
                if (!known.TryGetValue(item.Message, out var message))
                    known[item.Message] = message = (await messages.GetAsync(MessageId.Parse(item.Message), cancellation))?.Message;
                if (message is not null && query.Filter.Matches(message))
                    yield return new LogEntry(item, message);
            }
        }
    }

    // Known messages lie in known shards, and have no event before their own day.
    private static (HashSet<string>? Ids, IReadOnlyList<int> Shards, int Oldest) Restrict(IReadOnlyList<MessageId> ids) =>
        ids.Count == 0
            ? (null, [.. Enumerable.Range(0, MessageId.Shards)], 0)
            : ([.. ids.Select(id => id.Text)], [.. ids.Select(id => id.Shard).Distinct()], ids.Min(id => MessageId.DayOf(id.CreatedAt)));

    private async IAsyncEnumerable<LogEvent> MergeAsync(
        int day, IReadOnlyList<int> shards, string from, string? to,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var streams = shards
            .SelectMany(shard => s_kinds.Select(kind =>
                new LogStream(store.Tables, MessageRows.Partition(day, shard), kind, from, to)))
            .ToList();
        var open = await Task.WhenAll(streams.Select(s => s.StartAsync(cancellation).AsTask()));
        var heads = new PriorityQueue<LogStream, string>(StringComparer.Ordinal);
        for (var i = 0; i < streams.Count; i++)
        {
            if (open[i])
                heads.Enqueue(streams[i], streams[i].Position);
        }
        while (heads.TryDequeue(out var stream, out _))
        {
            if (ToEvent(stream) is { } item)
                yield return item;
            if (await stream.MoveNextAsync(cancellation))
                heads.Enqueue(stream, stream.Position);
        }
    }

    // A message's own row stands for its CREATED event, unless that was written into the partition of its day.
    private static LogEvent? ToEvent(LogStream stream)
    {
        if (stream.IsEvents)
            return MessageRows.EventFromRow(stream.Current!);
        var id = MessageId.Parse(stream.Position[(stream.Position.LastIndexOf('|') + 1)..]);
        return id.LiesInOlderPartition ? null : new LogEvent(id.Text, MessageState.Created, id.CreatedAt, 0);
    }
}
