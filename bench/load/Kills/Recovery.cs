namespace FuncStash.Bench.Kills;

/// <summary>How long a killed server is missed.</summary>
internal static class Recovery
{
    /// <summary>From the start of a process until it is ready, in ms, of each life that was not killed before.</summary>
    public static double[] Starts(Evidence evidence) =>
        [.. evidence.Lives.Where(life => life.ReadyAt > 0).Select(life => life.ReadyAt - life.StartedAt).Order()];

    /// <summary>
    /// For each kill with messages that were acknowledged, due and not delivered: the last of them, and how long after the kill
    /// it was. Messages that nothing holds up: without a queue, flow control and failures. The longest last.
    /// </summary>
    public static (double Ms, Arrival Last)[] Overdue(Evidence evidence)
    {
        var kills = evidence.Lives.Where(life => life.KilledAt > 0).Select(life => life.KilledAt).ToArray();
        var last = new Dictionary<int, Arrival>();
        foreach (var note in evidence.Notes.Where(n => n.IsDue && n is { Queue: null, Key: null, Fails: 0, Fatal: false }))
        {
            if (evidence.Of(note).FirstOrDefault(a => a.Delivered) is not { } delivered)
                continue;
            var due = Math.Max(note.AckedAt, note.SentAt + note.DelayMs);
            var at = kills.Count(kill => kill < due);
            if (at < kills.Length && kills[at] < delivered.At)
                last[at] = last.TryGetValue(at, out var other) && other.At > delivered.At ? other : delivered;
        }
        return [.. last.Select(kill => (kill.Value.At - kills[kill.Key], kill.Value)).OrderBy(kill => kill.Item1)];
    }
}
