namespace FuncStash.Bench.Kills;

/// <summary>FIFO queues of parallelism 1 (protocol#queues).</summary>
internal static class Lines
{
    public static IEnumerable<string> Overlaps(Evidence evidence)
    {
        foreach (var queue in Queues(evidence))
        {
            // One that is cancelled gives its place up at once, whatever is in flight.
            var arrivals = queue.Where(note => note.CancelAfterMs is null)
                .SelectMany(note => evidence.Of(note).Concat(evidence.CallbacksOf(note))).OrderBy(a => a.At);
            var over = new HashSet<int>();
            Arrival? before = null;
            foreach (var arrival in arrivals)
            {
                if (before is not null && before.Number != arrival.Number)
                {
                    over.Add(before.Number);
                    if (before.Until(evidence.Lives) > arrival.At)
                        yield return $"{arrival} came while {before} was in flight";
                }
                if (over.Contains(arrival.Number))
                    yield return $"{arrival} came after {before} of the queue's next";
                before = arrival;
            }
        }
    }

    // What was not acknowledged may be found and put in line at any time; each queue has one publisher.
    public static IEnumerable<string> Order(Evidence evidence)
    {
        foreach (var queue in Queues(evidence))
        {
            Arrival? before = null;
            foreach (var note in queue.Where(note => note.IsDue))
            {
                if (evidence.Of(note).FirstOrDefault() is not { } first)
                    continue;
                if (first.At < before?.At)
                    yield return $"{first} came before {before}";
                before = first;
            }
        }
    }

    private static IEnumerable<IGrouping<string?, Note>> Queues(Evidence evidence) =>
        evidence.Notes.Where(note => note.Queue is not null).GroupBy(note => note.Queue);
}
