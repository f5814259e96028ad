using FuncStash.Messages;

namespace FuncStash.Logs;

/// <summary>Where in the log the entries of a query can be, and the messages that are known already.</summary>
/// <param name="From">The first time to look at, in unix milliseconds.</param>
/// <param name="To">The last one.</param>
/// <param name="Shards">The shards of each day to look at.</param>
internal sealed record LogScope(long From, long To, IReadOnlyList<int> Shards)
{
    // Clocks of different machines differ; an event's time is the clock's of the worker that made it.
    private const long ClockSkewMs = 5_000;

    private const int MaxKnown = 2_000;

    private readonly Dictionary<string, Message?> _known = new(StringComparer.Ordinal);

    /// <summary>The scope of a query; null when it can have no entries.</summary>
    public static async ValueTask<LogScope?> OfAsync(LogQuery query, MessageStore messages, CancellationToken cancellation)
    {
        var (from, to) = (query.Filter.FromDate ?? 0, query.Filter.ToDate ?? long.MaxValue);
        if (query.MessageIds is not { } ids)
            return new LogScope(from, to, [.. Enumerable.Range(0, MessageId.Shards)]);
        var found = (await Task.WhenAll(ids.Select(id => messages.GetAsync(id, cancellation).AsTask())))
            .OfType<StoredMessage>().ToList();
        if (found.Count == 0)
            return null;
        // Nothing is logged of a message before its creation, and nothing after its end.
        var first = found.Min(m => m.Message.CreatedAt) - ClockSkewMs;
        var last = found.Max(m => m.Progress.EndedAt is { } ended ? ended + ClockSkewMs : long.MaxValue);
        var scope = new LogScope(Math.Max(from, first), Math.Min(to, last), [.. found.Select(m => m.Id.Shard).Distinct()]);
        foreach (var message in found)
            scope._known[message.Id.Text] = message.Message;
        return scope;
    }

    /// <summary>The messages of these events, as far as they are still there.</summary>
    public async ValueTask<IReadOnlyDictionary<string, Message?>> MessagesAsync(
        IEnumerable<ReadEvent> events, MessageStore messages, CancellationToken cancellation)
    {
        var wanted = events.Where(e => e.Message is null).Select(e => e.Event.Message).ToHashSet(StringComparer.Ordinal);
        if (_known.Count > MaxKnown)
        {
            foreach (var id in _known.Keys.Where(id => !wanted.Contains(id)).ToList())
                _known.Remove(id);
        }
        var missing = wanted.Where(id => !_known.ContainsKey(id)).ToList();
        var read = await Task.WhenAll(missing.Select(id => messages.GetAsync(MessageId.Parse(id), cancellation).AsTask()));
        for (var i = 0; i < read.Length; i++)
            _known[missing[i]] = read[i]?.Message;
        return _known;
    }
}
