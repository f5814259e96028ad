namespace FuncStash.Bench.Kills;

/// <summary>Callbacks.</summary>
internal static class Followers
{
    public static IEnumerable<string> Missing(Evidence evidence) =>
        from note in evidence.Notes
        where note.IsDue
        from due in note.Callbacks
        where !evidence.CallbacksOf(note).Any(a => a.Role == due.Role && a.Attempt == due.Attempt && a.Delivered)
        select $"{note} has no {due.Role} of attempt {due.Attempt}";

    public static IEnumerable<string> Extra(Evidence evidence)
    {
        foreach (var note in evidence.Notes)
        {
            foreach (var callbacks in evidence.CallbacksOf(note).GroupBy(a => (a.Role, a.Attempt)))
            {
                if (!note.Callbacks.Contains(callbacks.Key))
                    yield return $"{note} has {callbacks.First()}";
                if (callbacks.Select(a => a.Id).Distinct().Count() > 1)
                    yield return $"{note} has {string.Join(" and ", callbacks)}";
            }
        }
    }
}
