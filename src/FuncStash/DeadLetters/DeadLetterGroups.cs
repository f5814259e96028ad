using FuncStash.Wire;

namespace FuncStash.DeadLetters;

/// <summary>Dead letters of one host with one status and one error.</summary>
/// <param name="LatestAt">When the latest of them failed, in unix milliseconds.</param>
public sealed record DeadLetterGroup(string Host, int Status, string? Error, int Count, long LatestAt);

/// <summary>Tells which dead letters failed alike.</summary>
public sealed class DeadLetterGroups(DeadLetterReader reader)
{
    /// <summary>So many dead letters are looked at, and so many groups told.</summary>
    public const int MaxLooked = 2_000, MaxGroups = 20;

    /// <summary>The largest groups of the latest dead letters, the largest first.</summary>
    /// <param name="query">Of which ones.</param>
    /// <param name="cancellation">Stops the look.</param>
    /// <returns>The groups, and whether there are more dead letters than were looked at.</returns>
    public async ValueTask<(IReadOnlyList<DeadLetterGroup> Groups, bool IsPart)> ReadAsync(
        DeadLetterQuery query, CancellationToken cancellation = default)
    {
        var groups = new Dictionary<(string, int, string?), DeadLetterGroup>();
        var looked = 0;
        await foreach (var letter in query.Ids is null ? reader.ScanAsync(query with { LatestFirst = true }, cancellation) : reader.ReadAsync(query, cancellation))
        {
            if (++looked > MaxLooked)
                break;
            if (query.Ids is null && !query.Matches(letter))
                continue;
            var key = (UrlParts.Of(letter.Message.Url).Host, letter.ResponseStatus, letter.Error);
            groups[key] = groups.TryGetValue(key, out var group)
                ? group with { Count = group.Count + 1 }
                : new DeadLetterGroup(key.Host, letter.ResponseStatus, letter.Error, 1, letter.Id.FailedAt);
        }
        return ([.. groups.Values.OrderByDescending(group => group.Count).Take(MaxGroups)], looked > MaxLooked);
    }
}
