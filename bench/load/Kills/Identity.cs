namespace FuncStash.Bench.Kills;

/// <summary>Which message is which.</summary>
internal static class Identity
{
    public static IEnumerable<string> Bodies(Evidence evidence) =>
        evidence.Arrivals.Where(arrival => arrival.Altered).Select(arrival => $"{arrival}");

    public static IEnumerable<string> Ids(Evidence evidence)
    {
        foreach (var note in evidence.Notes.Where(note => note.DeduplicationId is null && IdsOf(evidence, note).Count() > 1))
            yield return $"{note} has the ids {string.Join(", ", IdsOf(evidence, note))}";
        var shared = evidence.Notes.SelectMany(note => IdsOf(evidence, note)).Concat(
            evidence.Chains.Where(chain => chain.Role != Role.Message).Select(chain => chain.Id)).CountBy(id => id);
        foreach (var (id, count) in shared.Where(id => id.Value > 1 || id.Key.Length == 0))
            yield return $"{id} is the id of {count} messages";
    }

    public static IEnumerable<string> Deduplicated(Evidence evidence) => evidence.Notes
        .Where(note => note.DeduplicationId is not null && IdsOf(evidence, note).Count() > 1)
        .Select(note => $"{note} became {string.Join(", ", IdsOf(evidence, note))}");

    private static IEnumerable<string> IdsOf(Evidence evidence, Note note) =>
        note.Ids.Concat(evidence.Of(note).Select(arrival => arrival.Id)).Distinct();
}
