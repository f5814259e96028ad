using FuncStash.Messages;

namespace FuncStash.Logs;

/// <summary>Where in the log the entries of a query can be, and the messages that are known already.</summary>
/// <param name="Windows">The times to look at, in order.</param>
/// <param name="Shards">The shards of each day to look at.</param>
internal sealed record LogScope(IReadOnlyList<LogWindow> Windows, IReadOnlyList<int> Shards)
{
    // Clocks of different machines differ; an event's time is the clock's of the worker that made it.
    private const long ClockSkewMs = 5_000;

    private const int MaxWindows = 200, SideBySide = 32;

    // What the messages that are remembered may take, as they are stored, in bytes.
    private const int MaxKnown = 2 * 1024 * 1024, MinBytes = 500;

    // What lies so close together is read in one go.
    private const long JoinedMs = 1_000;

    /// <summary>How many events were looked at.</summary>
    public int Looked { get; set; }

    /// <summary>The last of them where no more were to be looked at; null as long as that is not so.</summary>
    public string? StoppedAt { get; set; }

    /// <summary>
    /// The time of the first event that was met, unix ms, where nothing newer was left out: what is newer came to be since.
    /// </summary>
    public long? Top { get; set; }

    private readonly Dictionary<string, StoredMessage?> _known = new(StringComparer.Ordinal);
    private int _bytes;

    /// <summary>The scope of a query; null when it can have no entries.</summary>
    public static async ValueTask<LogScope?> OfAsync(LogQuery query, MessageStore messages, CancellationToken cancellation)
    {
        var (from, to) = (query.Filter.FromDate ?? 0, query.Filter.ToDate ?? long.MaxValue);
        if (query.MessageIds is not { } ids)
            return new LogScope([new LogWindow(from, to, HasCreations: true)], [.. Enumerable.Range(0, MessageId.Shards)]);
        var (windows, shards, known) = (new List<LogWindow>(), new SortedSet<int>(), new List<StoredMessage>());
        var bytes = 0;
        foreach (var some in ids.Chunk(SideBySide))
        {
            var found = (await LookAsync(some, messages, cancellation)).OfType<StoredMessage>().ToList();
            windows = Joined(windows.Concat(found.SelectMany(WindowsOf)));
            shards.UnionWith(found.Select(message => message.Id.Shard));
            if (bytes > MaxKnown)
                continue;
            known.AddRange(found.Select(message => message with { Spec = null }));
            bytes += found.Sum(message => MinBytes + (message.Spec?.Length ?? 0));
        }
        windows = [.. windows.Select(w => w with { From = Math.Max(w.From, from), To = Math.Min(w.To, to) }).Where(w => w.From <= w.To)];
        if (shards.Count == 0)
            return null;
        var scope = new LogScope(windows, [.. shards]) { _bytes = bytes };
        // As they were when it was found where their events are: one that goes on since is not looked for where it is then.
        foreach (var message in known)
            scope._known[message.Id.Text] = message;
        return scope;
    }

    private static Task<StoredMessage?[]> LookAsync(
        IEnumerable<MessageId> ids, MessageStore messages, CancellationToken cancellation) =>
        Task.WhenAll(ids.Select(id => messages.LookAsync(id, cancellation).AsTask()));

    // Nothing is logged of a message before its creation, nothing after its end, and in between where its row knows.
    private static IEnumerable<LogWindow> WindowsOf(StoredMessage stored)
    {
        var created = stored.Message.CreatedAt;
        return stored.Progress.EventTimes() is { } times
            ? times.Select(at => new LogWindow(at, at, HasCreations: false)).Append(new LogWindow(created, created, HasCreations: true))
            : [new LogWindow(created - ClockSkewMs, stored.Progress.EndedAt is { } ended ? ended + ClockSkewMs : long.MaxValue, HasCreations: true)];
    }

    private static List<LogWindow> Joined(IEnumerable<LogWindow> windows)
    {
        var joined = new List<LogWindow>();
        foreach (var next in windows.OrderBy(w => w.From))
        {
            if (joined.Count > 0 && joined[^1] is var last && (last.To >= next.From - JoinedMs || joined.Count == MaxWindows))
                joined[^1] = new LogWindow(last.From, Math.Max(last.To, next.To), last.HasCreations || next.HasCreations);
            else
                joined.Add(next);
        }
        return joined;
    }

    /// <summary>The messages of these events, as far as they are still there.</summary>
    public async ValueTask<IReadOnlyDictionary<string, StoredMessage?>> MessagesAsync(
        IEnumerable<ReadEvent> events, MessageStore messages, CancellationToken cancellation)
    {
        var wanted = events.Where(e => e.Message is null).Select(e => e.Event.Message).ToHashSet(StringComparer.Ordinal);
        if (_bytes > MaxKnown)
        {
            _bytes = 0;
            foreach (var id in _known.Keys.Where(id => !wanted.Contains(id)).ToList())
                _known.Remove(id);
        }
        var missing = wanted.Where(id => !_known.ContainsKey(id)).ToList();
        var read = await LookAsync(missing.Select(MessageId.Parse), messages, cancellation);
        for (var i = 0; i < read.Length; i++)
        {
            _known[missing[i]] = read[i] is { } message ? message with { Spec = null } : null;
            _bytes += MinBytes + (read[i]?.Spec?.Length ?? 0);
        }
        return _known;
    }
}

/// <summary>A stretch of the log, in unix milliseconds, both bounds included.</summary>
/// <param name="HasCreations">False when no CREATED event is looked for in it.</param>
internal readonly record struct LogWindow(long From, long To, bool HasCreations);
