using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Storage;

namespace FuncStash.RunLogs;

/// <summary>What to list of the runs.</summary>
public sealed record RunQuery
{
    public RunFilter Filter { get; init; } = new();

    /// <summary>Only these runs, by key; null for all.</summary>
    public IReadOnlyList<MessageId>? Keys { get; init; }

    /// <summary>Only runs that have not ended.</summary>
    public bool IsLive { get; init; }

    /// <summary>The position after which to go on; null for the start.</summary>
    public string? After { get; init; }

    public int Count { get; init; } = 10;

    /// <summary>How many runs are looked at for one page; one that ends there has a position from which to look on.</summary>
    public int MaxLooked { get; init; } = int.MaxValue;

    internal bool Fits(Run run) =>
        (After is not { } after || string.CompareOrdinal(RunReader.PositionOf(run.Key), after) > 0)
        && !(IsLive && run.Ended) && Filter.IsWithin(run.CreatedAt) && Filter.Matches(run);
}

/// <summary>Runs, and the position after which more follow; null at the end.</summary>
public sealed record RunPage(IReadOnlyList<Run> Runs, string? Next)
{
    /// <summary>True when the page ended because so many had been looked at.</summary>
    public bool IsCutShort { get; init; }
}

/// <summary>Lists runs, those that were started last first.</summary>
public sealed class RunReader(IStore store, RunStore runs, RunIndex index, MessageStore messages)
{
    public async ValueTask<RunPage> ListAsync(RunQuery query, CancellationToken cancellation = default)
    {
        var (found, looked) = (new List<Run>(), 0);
        await foreach (var run in CandidatesAsync(query, cancellation))
        {
            if (query.Fits(run))
            {
                if (found.Count == query.Count)
                    return new RunPage(found, PositionOf(found[^1].Key));
                found.Add(run);
            }
            if (++looked >= query.MaxLooked)
                return new RunPage(found, PositionOf(run.Key)) { IsCutShort = true };
        }
        return new RunPage(found, null);
    }

    /// <summary>The runs that a query is about, without regard to its count.</summary>
    public IAsyncEnumerable<Run> FindAsync(RunQuery query, CancellationToken cancellation = default) =>
        CandidatesAsync(query, cancellation).Where(query.Fits);

    private IAsyncEnumerable<Run> CandidatesAsync(RunQuery query, CancellationToken cancellation) =>
        query.Keys is { } keys ? OfAsync(keys, cancellation)
        : query.Filter.RunIds is { } ids ? NamedAsync(ids, cancellation)
        : AllAsync(query, cancellation);

    /// <summary>The key of the run that a message is a part of; null when it is a part of none.</summary>
    public async ValueTask<MessageId?> KeyOfAsync(string message, CancellationToken cancellation = default) =>
        MessageId.TryParse(message, out var id) && id.IsOfRun && await messages.GetAsync(id, cancellation) is { Message.Run: { } part } ? part.Run : null;

    /// <summary>The key of a run, by its id and the time of its start.</summary>
    public async ValueTask<MessageId?> KeyOfAsync(string runId, long createdAt, CancellationToken cancellation = default)
    {
        foreach (var key in await index.AllAsync(runId, cancellation))
        {
            if (key.CreatedAt == createdAt)
                return key;
        }
        return null;
    }

    public static string PositionOf(MessageId key) => LogPosition.Of(key.CreatedAt, 0, key.Text);

    private async IAsyncEnumerable<Run> NamedAsync(IEnumerable<string> ids, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var keys = new List<MessageId>();
        foreach (var id in ids)
            keys.AddRange(await index.AllAsync(id, cancellation));
        await foreach (var run in OfAsync(keys, cancellation))
            yield return run;
    }

    private async IAsyncEnumerable<Run> OfAsync(IReadOnlyList<MessageId> keys, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var key in keys.Distinct().OrderBy(PositionOf, StringComparer.Ordinal))
        {
            if (await runs.GetAsync(key, cancellation) is { } run)
                yield return run;
        }
    }

    private async IAsyncEnumerable<Run> AllAsync(RunQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (oldest, newest) = (query.Filter.FromDate ?? 0, query.Filter.ToDate ?? long.MaxValue);
        var from = LogPosition.At(newest);
        if (query.After is { } after && string.CompareOrdinal(after, from) > 0)
            from = after;
        var days = await Days.ListAsync(store.Tables, cancellation);
        var (first, last) = (MessageId.DayOf(Math.Max(0, oldest)), MessageId.DayOf(LogPosition.TimeOf(from)));
        foreach (var day in days.Reverse().Where(day => day >= first && day <= last))
        {
            var streams = Enumerable.Range(0, MessageId.Shards)
                .Select(shard => new RunStream(store.Tables, runs, MessageRows.Partition(day, shard), from, query.IsLive)).ToList();
            await foreach (var run in MergeAsync(streams, cancellation))
            {
                if (run.CreatedAt < oldest)
                    break;
                yield return run;
            }
        }
    }

    private static async IAsyncEnumerable<Run> MergeAsync(List<RunStream> streams, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var open = await Task.WhenAll(streams.Select(stream => stream.MoveNextAsync(cancellation).AsTask()));
        var heads = new PriorityQueue<RunStream, string>(StringComparer.Ordinal);
        for (var i = 0; i < streams.Count; i++)
        {
            if (open[i])
                heads.Enqueue(streams[i], PositionOf(streams[i].Current.Key));
        }
        while (heads.TryDequeue(out var stream, out _))
        {
            yield return stream.Current;
            if (await stream.MoveNextAsync(cancellation))
                heads.Enqueue(stream, PositionOf(stream.Current.Key));
        }
    }
}
