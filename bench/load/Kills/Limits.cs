namespace FuncStash.Bench.Kills;

/// <summary>Flow control (protocol#flow-control).</summary>
internal static class Limits
{
    // A kill ends what was in flight, so each life counts for itself.
    public static IEnumerable<string> Parallelism(Evidence evidence)
    {
        var attempts = from note in evidence.Notes
                       where note.Key is { Parallelism: > 0 }
                       from arrival in evidence.Of(note)
                       group arrival by (note.Key, arrival.Life);
        foreach (var life in attempts)
        {
            var changes = life.Select(a => (At: a.At, Change: 1)).Concat(life.Select(a => (At: a.Until(evidence.Lives), Change: -1)));
            var inFlight = 0;
            foreach (var (at, change) in changes.OrderBy(c => c.At).ThenBy(c => c.Change))
            {
                inFlight += change;
                if (inFlight > life.Key.Key!.Parallelism)
                    yield return $"{inFlight} of {life.Key.Key} in flight at {at:0} in life {life.Key.Life}";
            }
        }
    }

    /// <remarks>
    /// An attempt may come long after it was let through, so the receiver alone cannot tell its period. But all that have come
    /// before a period began were let through in the periods before it; when those are told by the server, this is exact
    /// as long as more wait than the rate lets through.
    /// </remarks>
    public static IEnumerable<string> Rate(Evidence evidence)
    {
        var (rate, periodMs) = (Mix.Rated.Rate, Mix.Rated.PeriodSeconds * 1_000.0);
        var arrivals = evidence.Notes.Where(note => note.Key == Mix.Rated)
            .SelectMany(note => evidence.Of(note).DistinctBy(a => a.Retried)).Select(a => a.At).Order().ToArray();
        var allowed = 0;
        RateReading? before = null;
        foreach (var reading in evidence.Rates.Where(reading => reading.Count > 0))
        {
            if (reading.Count > rate)
                yield return $"{reading}: the rate is {rate}";
            var sinceMs = reading.StartedAt - (before?.StartedAt ?? 0);
            if (before is not null && sinceMs == 0 && reading.Count < before.Count)
                yield return $"{before} became {reading}";
            if (before is not null && sinceMs != 0)
            {
                if (sinceMs < periodMs)
                    yield return $"{reading} is {sinceMs:0} ms after {before}";
                allowed += rate * Math.Max(1, (int)(sinceMs / periodMs));
                if (arrivals.Count(at => at < reading.StartedAt) is var came && came > allowed)
                    yield return $"{came} came before {reading.StartedAt:0}, {allowed} were allowed";
            }
            before = reading;
        }
        allowed += rate;
        if (before is not null && arrivals.Count(at => at < before.StartedAt + periodMs) is var all && all > allowed)
            yield return $"{all} came within the last period, {allowed} were allowed";
    }
}
