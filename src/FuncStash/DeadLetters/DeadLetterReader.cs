using System.Runtime.CompilerServices;
using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.DeadLetters;

/// <summary>Which dead letters, in which order (contract §14.1).</summary>
public sealed record DeadLetterQuery
{
    /// <summary>Conditions on the message; its dates bound the time of failure.</summary>
    public MessageFilter Filter { get; init; } = new();

    /// <summary>Only these; all other conditions are then ignored.</summary>
    public IReadOnlyList<DlqId> Ids { get; init; } = [];

    public IReadOnlySet<int> ResponseStatuses { get; init; } = new HashSet<int>();

    /// <summary>Go on after this one.</summary>
    public DlqId? After { get; init; }

    public int Count { get; init; } = 100;

    public bool LatestFirst { get; init; }
}

public sealed record DeadLetterPage(IReadOnlyList<DeadLetter> Letters, string? Next);

/// <summary>Lists dead letters in the order of their failure.</summary>
public sealed class DeadLetterReader(DeadLetterStore letters)
{
    private const int PageSize = 100;

    public async ValueTask<DeadLetterPage> ListAsync(DeadLetterQuery query, CancellationToken cancellation = default)
    {
        var found = new List<DeadLetter>();
        await foreach (var letter in ScanAsync(query, cancellation))
        {
            if (found.Count == query.Count)
                return new DeadLetterPage(found, found[^1].Id.ToString());
            found.Add(letter);
        }
        return new DeadLetterPage(found, null);
    }

    private async IAsyncEnumerable<DeadLetter> ScanAsync(
        DeadLetterQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (query.Ids.Count > 0)
        {
            foreach (var id in query.Ids)
            {
                if (await letters.GetAsync(id, cancellation) is { } letter)
                    yield return letter;
            }
            yield break;
        }
        var all = query.LatestFirst ? LatestFirst(query, cancellation) : EarliestFirst(query, cancellation);
        await foreach (var letter in all)
        {
            if (query.Filter.Matches(letter.Message)
                && (query.ResponseStatuses.Count == 0 || query.ResponseStatuses.Contains(letter.ResponseStatus)))
                yield return letter;
        }
    }

    private async IAsyncEnumerable<DeadLetter> EarliestFirst(
        DeadLetterQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var first = query.After?.Key ?? new DlqId(Math.Clamp(query.Filter.FromDate ?? 0, 0, MaxTime), 0).Key;
        var end = new DlqId(Math.Clamp(query.Filter.ToDate ?? MaxTime, 0, MaxTime), 999_999_999).Key + "~";
        var heads = new PriorityQueue<(int Shard, IReadOnlyList<DeadLetter> Page, int Index), string>(StringComparer.Ordinal);
        for (var shard = 0; shard < DlqId.Shards; shard++)
            await FillAsync(shard, new RowRange(first, end, Exclusive: query.After is not null));
        while (heads.TryDequeue(out var head, out _))
        {
            var letter = head.Page[head.Index];
            yield return letter;
            if (head.Index + 1 < head.Page.Count)
                heads.Enqueue((head.Shard, head.Page, head.Index + 1), head.Page[head.Index + 1].Id.Key);
            else if (head.Page.Count == PageSize)
                await FillAsync(head.Shard, new RowRange(letter.Id.Key, end, Exclusive: true));
        }

        async ValueTask FillAsync(int shard, RowRange range)
        {
            var page = await letters.PageAsync(shard, range, PageSize, cancellation);
            if (page.Count > 0)
                heads.Enqueue((shard, page, 0), page[0].Id.Key);
        }
    }

    private const long MaxTime = 9_999_999_999_999;

    // Rows sort oldest first: the whole list is read and turned round, which only this rarer order pays for.
    private async IAsyncEnumerable<DeadLetter> LatestFirst(
        DeadLetterQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var all = new List<DeadLetter>();
        await foreach (var letter in EarliestFirst(query with { After = null }, cancellation))
            all.Add(letter);
        for (var i = all.Count - 1; i >= 0; i--)
        {
            if (query.After is not { } after || string.CompareOrdinal(all[i].Id.Key, after.Key) < 0)
                yield return all[i];
        }
    }
}
