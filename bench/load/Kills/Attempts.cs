namespace FuncStash.Bench.Kills;

/// <summary>How often a message was tried, and when.</summary>
internal static class Attempts
{
    /// <summary>Times on the wire are whole milliseconds, and two clocks of one machine are read.</summary>
    private const double RoundingMs = 2;

    public static IEnumerable<string> Steps(Evidence evidence)
    {
        foreach (var chain in evidence.Chains)
        {
            var last = evidence.LastOf(chain);
            var next = 0;
            foreach (var attempt in chain.Attempts)
            {
                if (attempt.Retried > last || (attempt.Retried != next && attempt.Retried != next - 1))
                    yield return $"{attempt} follows on {next - 1}, the last is {last}";
                next = attempt.Retried + 1;
            }
        }
    }

    public static IEnumerable<string> Explained(Evidence evidence) => evidence.Duplicates
        .Where(duplicate => !duplicate.IsExplained)
        .Select(duplicate => $"{duplicate.First} and {duplicate.Second}, {duplicate.GapMs:0} ms from the answer to the kill");

    public static IEnumerable<string> Early(Evidence evidence)
    {
        foreach (var note in evidence.Notes.Where(note => note.DelayMs > 0))
        {
            if (evidence.Of(note).FirstOrDefault() is { } first && first.At < note.SentAt + note.DelayMs - RoundingMs)
                yield return $"{first} came {first.At - note.SentAt:0} ms after {note} was sent";
        }
        foreach (var (before, after) in evidence.Chains.SelectMany(chain => chain.Attempts.Zip(chain.Attempts.Skip(1))))
        {
            if (after.Retried > before.Retried && before.AnsweredAt > 0
                && after.At < before.AnsweredAt + Traffic.RetryDelayMs - RoundingMs)
                yield return $"{after} came {after.At - before.AnsweredAt:0} ms after the answer before";
        }
    }
}
