using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Logs;

/// <summary>Lists the log: merges the partitions of a day, newest first, day by day.</summary>
public sealed class LogReader(IStore store, MessageStore messages)
{
    private const long DayMs = 86_400_000;

    // Of so many events at a time the messages are read.
    private const int MaxBatch = 64;

    /// <summary>One page, as long as the query's count says.</summary>
    public async ValueTask<LogPage> ListAsync(LogQuery query, CancellationToken cancellation = default)
    {
        var entries = new List<LogEntry>();
        if (await LogScope.OfAsync(query, messages, cancellation) is not { } scope)
            return new LogPage(entries, null);
        await foreach (var entry in ReadAsync(query, scope, cancellation))
        {
            if (entries.Count == query.Count)
                return new LogPage(entries, entries[^1].Event.Position);
            entries.Add(entry);
        }
        return new LogPage(entries, scope.StoppedAt) { IsCutShort = scope.StoppedAt is not null };
    }

    /// <summary>All entries from the query's start on, in its order, read as they are asked for; its count says nothing.</summary>
    public async IAsyncEnumerable<LogEntry> ReadAsync(
        LogQuery query, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        if (await LogScope.OfAsync(query, messages, cancellation) is not { } scope)
            yield break;
        await foreach (var entry in ReadAsync(query, scope, cancellation))
            yield return entry;
    }

    /// <summary>The events since a time (unix ms), latest first, read as they are asked for, without their messages.</summary>
    public async IAsyncEnumerable<LogEvent> EventsAsync(long since, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var query = new LogQuery();
        if (await LogScope.OfAsync(query, messages, cancellation) is not { } scope)
            yield break;
        var window = new LogWindow(since, long.MaxValue, HasCreations: true);
        foreach (var day in (await Days.ListAsync(store.Tables, cancellation)).Reverse().Where(day => day >= MessageId.DayOf(since)))
        {
            await foreach (var read in MergeAsync(query, scope, window, day, LogPosition.At(window.To), cancellation))
                yield return read.Event;
        }
    }

    private IAsyncEnumerable<LogEntry> ReadAsync(LogQuery query, LogScope scope, CancellationToken cancellation)
    {
        var entries = query.EarliestFirst ? EarliestFirst(query, scope, cancellation) : LatestFirst(query, scope, cancellation);
        // A message's events are not all read at the same time: one that goes on meanwhile has a latest one several times.
        return query.LatestOnly ? entries.DistinctBy(entry => entry.Message.Id) : entries;
    }

    private async IAsyncEnumerable<LogEntry> LatestFirst(
        LogQuery query, LogScope scope, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var days = await Days.ListAsync(store.Tables, cancellation);
        foreach (var window in scope.Windows.Reverse())
        {
            var from = LogPosition.At(window.To);
            if (query.After is { } after && string.CompareOrdinal(after, from) > 0)
                from = after;
            // The windows before the cursor have been read.
            if (LogPosition.TimeOf(from) < window.From)
                continue;
            await foreach (var entry in ScanAsync(query, scope, window, days, from, cancellation))
                yield return entry;
            if (scope.StoppedAt is not null)
                yield break;
        }
    }

    private async IAsyncEnumerable<LogEntry> EarliestFirst(
        LogQuery query, LogScope scope, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var days = await Days.ListAsync(store.Tables, cancellation);
        foreach (var window in scope.Windows)
        {
            await foreach (var entry in EarliestFirst(query, scope, window, days, cancellation))
                yield return entry;
        }
    }

    // Rows sort newest first, so the log is read in slices of time from its start, each turned round.
    private async IAsyncEnumerable<LogEntry> EarliestFirst(
        LogQuery query, LogScope scope, LogWindow window, IReadOnlyList<int> days,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        const int SliceMax = 2_000;
        if (days.Count == 0)
            yield break;
        var start = Math.Max(window.From, days[0] * DayMs);
        if (query.After is { } after)
            start = Math.Max(start, LogPosition.TimeOf(after));
        var end = Math.Min(window.To, ((days[^1] + 1) * DayMs) - 1);
        var width = 60_000L;
        while (start <= end)
        {
            var last = Math.Min(end, start + width - 1);
            // Without their messages, of which so many may be big.
            var slice = new List<ReadEvent>();
            var tooMany = false;
            await foreach (var entry in ScanAsync(
                query, scope, window with { From = start }, days, LogPosition.At(last), cancellation))
            {
                slice.Add(new ReadEvent(entry.Event, null));
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
            foreach (var some in slice.Where(e => query.After is null || string.CompareOrdinal(e.Event.Position, query.After) < 0).Chunk(MaxBatch))
            {
                var known = await scope.MessagesAsync(some, messages, cancellation);
                foreach (var item in some.Where(e => known[e.Event.Message] is not null))
                    yield return new LogEntry(item.Event, known[item.Event.Message]!.Message, known[item.Event.Message]!.Progress);
            }
            start = last + 1;
            if (slice.Count < SliceMax / 4)
                width *= 4;
        }
    }

    private async IAsyncEnumerable<LogEntry> ScanAsync(
        LogQuery query, LogScope scope, LogWindow window, IReadOnlyList<int> days, string from,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var ids = query.MessageIds?.Select(id => id.Text).ToHashSet(StringComparer.Ordinal);
        var newest = MessageId.DayOf(LogPosition.TimeOf(from));
        var oldest = MessageId.DayOf(window.From);
        var batch = new List<ReadEvent>();
        var size = 8;
        foreach (var day in days.Reverse().Where(d => d <= newest && d >= oldest))
        {
            await foreach (var read in MergeAsync(query, scope, window, day, from, cancellation))
            {
                var item = read.Event;
                if (query is { EarliestFirst: false, After: null, MessageIds: null, Filter.ToDate: null })
                    scope.Top ??= item.Time;
                var isLast = !query.EarliestFirst && ++scope.Looked >= query.MaxLooked;
                if (isLast)
                    scope.StoppedAt = item.Position;
                if (ids?.Contains(item.Message) != false && (query.States.Count == 0 || query.States.Contains(item.State)))
                    batch.Add(read);
                if (batch.Count < size && !isLast)
                    continue;
                foreach (var entry in await EntriesAsync())
                    yield return entry;
                if (isLast)
                    yield break;
                size = Math.Min(size * 2, MaxBatch);
            }
            foreach (var entry in await EntriesAsync())
                yield return entry;
        }

        // Entries whose messages exist and fit; the messages are read side by side.
        async ValueTask<List<LogEntry>> EntriesAsync()
        {
            var known = await scope.MessagesAsync(batch, messages, cancellation);
            var entries = new List<LogEntry>(batch.Count);
            foreach (var (item, read) in batch)
            {
                if ((read ?? known[item.Message]) is { Message: var message } stored && query.Filter.Matches(message)
                    && (!query.LatestOnly || item.Number == stored.Progress.Events - 1 || HasGoneOn(stored.Progress, scope.Top)))
                    entries.Add(new LogEntry(item, message, stored.Progress));
            }
            batch.Clear();
            return entries;
        }
    }

    // One that has gone on since the list was begun is listed where it was then: where it is now was looked at before.
    private static bool HasGoneOn(Progress progress, long? since) =>
        progress.EndedAt > since || (progress.AttemptTimes is [.., var settled] && settled > since);

    private async IAsyncEnumerable<ReadEvent> MergeAsync(
        LogQuery query, LogScope scope, LogWindow window, int day, string from,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var to = EndOf(window.From);
        var partitions = scope.Shards.Select(shard => MessageRows.Partition(day, shard)).ToList();
        var streams = new List<LogStream>(partitions.Select(p => new EventStream(store.Tables, p, from, to)));
        if (window.HasCreations && (query.States.Count == 0 || query.States.Contains(MessageState.Created)))
            streams.AddRange(partitions.Select(p => new CreatedStream(store.Tables, p, from, to)));
        var open = await Task.WhenAll(streams.Select(s => s.MoveNextAsync(cancellation).AsTask()));
        var heads = new PriorityQueue<LogStream, string>(StringComparer.Ordinal);
        for (var i = 0; i < streams.Count; i++)
        {
            if (open[i])
                heads.Enqueue(streams[i], streams[i].Position);
        }
        while (heads.TryDequeue(out var stream, out _))
        {
            yield return stream.Current;
            if (await stream.MoveNextAsync(cancellation))
                heads.Enqueue(stream, stream.Position);
        }
    }

    // The position at one millisecond earlier sorts behind every event of that millisecond.
    private static string? EndOf(long from) => from > 0 ? LogPosition.At(from - 1) : null;
}
