namespace FuncStash.Bench.Kills;

/// <summary>How messages ended.</summary>
internal static class Ends
{
    public static IEnumerable<string> Lost(Evidence evidence) => evidence.Notes
        .Where(note => note.IsDue && !evidence.Of(note).Any(a => a.Retried == note.Last && a.AnsweredAt > 0))
        .Select(note => $"{note}: {evidence.Of(note).Count()} attempts");

    public static IEnumerable<string> States(Evidence evidence)
    {
        foreach (var note in evidence.Notes.Where(note => note.Acked))
        {
            string[] states = [.. evidence.Ledger.States[note.Id!]];
            string[] right = note.IsDue ? [note.EndsDead ? "FAILED" : "DELIVERED"] : ["CANCELED", "DELIVERED", "FAILED"];
            if (states is not [var state] || !right.Contains(state))
                yield return $"{note} is {string.Join(" and ", states)}";
        }
        foreach (var chain in evidence.Chains.Where(chain => evidence.Ledger.States[chain.Id].Count() != 1))
            yield return $"{chain.Attempts[0]} is {string.Join(" and ", evidence.Ledger.States[chain.Id])}";
    }

    public static IEnumerable<string> DeadLetters(Evidence evidence)
    {
        var due = evidence.Notes.Where(note => note.IsDue && note.EndsDead).Select(note => note.Id!);
        foreach (var id in due.Except(evidence.Ledger.DeadLetters))
            yield return $"{id} is no dead letter";
        foreach (var twice in evidence.Ledger.DeadLetters.CountBy(id => id).Where(id => id.Value > 1))
            yield return $"{twice.Key} is {twice.Value} dead letters";
        foreach (var id in evidence.Ledger.DeadLetters.Where(id => !evidence.Ledger.States[id].Contains("FAILED")))
            yield return $"{id} is a dead letter and did not fail";
    }

    // A request that was under way when the cancellation was acknowledged comes a little later.
    public static IEnumerable<string> Cancelled(Evidence evidence) =>
        from note in evidence.Notes
        where note.CancelledAt > 0
        from late in evidence.Of(note)
        where late.At > note.CancelledAt
            && (late.At > note.CancelledAt + evidence.SettledMs || evidence.Lives[late.Life].StartedAt > note.CancelledAt)
        select $"{note}: {late}, cancelled {late.At - note.CancelledAt:0} ms before";
}
