namespace FuncStash.Bench.Kills;

/// <summary>For each check, the evidence of a server that got it wrong once. A check that does not see that cannot fail.</summary>
internal static class Spoils
{
    private const double DayMs = 24 * 60 * 60 * 1_000;

    public static Evidence? Lost(Evidence evidence) =>
        Due(evidence) is { } note ? evidence with { Arrivals = [.. evidence.Arrivals.Except(evidence.Of(note))] } : null;

    public static Evidence? States(Evidence evidence) =>
        Due(evidence) is { } note ? evidence with { Ledger = evidence.Ledger with { States = Both(evidence.Ledger.States, note.Id!) } } : null;

    public static Evidence? DeadLetters(Evidence evidence) => evidence.Ledger.DeadLetters.Count == 0 ? null
        : evidence with { Ledger = evidence.Ledger with { DeadLetters = [.. evidence.Ledger.DeadLetters.Skip(1), "msg_other"] } };

    public static Evidence? Cancelled(Evidence evidence) => Attempt(evidence) is { } attempt
        && evidence.Notes.FirstOrDefault(note => note.CancelledAt > 0) is { } note
        ? evidence.And(attempt with { Number = note.Seq, At = note.CancelledAt + DayMs }) : null;

    public static Evidence? Bodies(Evidence evidence) =>
        Attempt(evidence) is { } attempt ? evidence.Instead(attempt, attempt with { Altered = true }) : null;

    public static Evidence? Ids(Evidence evidence) =>
        Attempt(evidence, note => note.DeduplicationId is null) is { } attempt ? evidence.And(attempt with { Id = "msg_other" }) : null;

    public static Evidence? Deduplicated(Evidence evidence) =>
        Attempt(evidence, note => note.DeduplicationId is not null) is { } attempt ? evidence.And(attempt with { Id = "msg_other" }) : null;

    public static Evidence? Steps(Evidence evidence) =>
        Attempt(evidence) is { } attempt ? evidence.And(attempt with { Retried = attempt.Retried + 1, At = attempt.At + DayMs }) : null;

    public static Evidence? Explained(Evidence evidence) =>
        Attempt(evidence) is { } attempt ? evidence.And(attempt with { At = attempt.At + 1 }) : null;

    public static Evidence? Early(Evidence evidence) => Attempt(evidence, note => note.DelayMs > 0) is { } attempt
        ? evidence.Instead(attempt, attempt with { At = evidence.Notes[attempt.Number].SentAt + 1 }) : null;

    public static Evidence? Callback(Evidence evidence) => evidence.Notes.FirstOrDefault(n => n.IsDue && n.Callback) is { } note
        ? evidence with { Arrivals = [.. evidence.Arrivals.Except(evidence.CallbacksOf(note).Where(a => a.Attempt == 0))] } : null;

    public static Evidence? ExtraCallback(Evidence evidence) =>
        evidence.Arrivals.FirstOrDefault(a => a.Role == Role.Callback) is { } callback
            ? evidence.And(callback with { Id = "msg_other", At = callback.At + 1 }) : null;

    public static Evidence? Overlap(Evidence evidence) =>
        Attempt(evidence, InLine) is { } attempt && Next(evidence, attempt) is { } next
            ? evidence.And(attempt with { At = next.At + 1 }) : null;

    // Before the first attempt, which need not be the one that was delivered.
    public static Evidence? Order(Evidence evidence) =>
        Attempt(evidence, InLine) is { } attempt && Next(evidence, attempt) is { } next
            ? evidence.Instead(next, next with { At = evidence.Of(evidence.Notes[attempt.Number]).First().At - 1 }) : null;

    public static Evidence? Parallelism(Evidence evidence) => Attempt(evidence, note => note.Key is { Parallelism: > 0 }) is { } attempt
        ? evidence.And([.. Enumerable.Repeat(attempt, evidence.Notes[attempt.Number].Key!.Parallelism)]) : null;

    // As if no period were kept.
    public static Evidence? Rate(Evidence evidence) => Attempt(evidence, IsRated) is { } first
        && evidence.Rates.FirstOrDefault(reading => reading.Count > 0) is { } period
        && evidence.Notes.Count(note => IsRated(note) && note.IsDue) > Mix.Rated.Rate ? evidence with
    {
        Rates = [period],
        Arrivals = [.. evidence.Arrivals.Select(a =>
            a.Role == Role.Message && IsRated(evidence.Notes[a.Number]) ? a with { At = first.At } : a)],
    } : null;

    public static Evidence? MissingRun(Evidence evidence) =>
        evidence.Schedules.FirstOrDefault(s => s.Minutes.Any()) is { } schedule ? evidence with
        {
            Arrivals = [.. evidence.Arrivals.Where(a =>
                a.Role != Role.Scheduled || a.Number != schedule.Number || (long)(a.At / 60_000) != schedule.Minutes.First())],
        } : null;

    public static Evidence? ExtraRun(Evidence evidence) =>
        evidence.Arrivals.FirstOrDefault(a => a.Role == Role.Scheduled) is { } run ? evidence.And(run with { Id = "msg_other" }) : null;

    private static bool IsRated(Note note) => note.Key == Mix.Rated;

    private static bool InLine(Note note) => note.Queue is not null;

    private static Note? Due(Evidence evidence) => evidence.Notes.FirstOrDefault(note => note.IsDue && !note.EndsDead);

    private static Arrival? Attempt(Evidence evidence, Func<Note, bool>? of = null) => evidence.Notes
        .Where(note => note.IsDue && (of is null || of(note))).SelectMany(evidence.Of).FirstOrDefault(a => a.Delivered);

    private static Arrival? Next(Evidence evidence, Arrival attempt) => evidence.Notes
        .Where(note => note.IsDue && note.Seq > attempt.Number && note.Queue == evidence.Notes[attempt.Number].Queue)
        .SelectMany(evidence.Of).FirstOrDefault();

    private static Evidence And(this Evidence evidence, params Arrival[] more) =>
        evidence with { Arrivals = [.. evidence.Arrivals, .. more] };

    private static Evidence Instead(this Evidence evidence, Arrival before, Arrival after) =>
        evidence with { Arrivals = [.. evidence.Arrivals.Where(a => !ReferenceEquals(a, before)), after] };

    private static ILookup<string, string> Both(ILookup<string, string> states, string id) =>
        states.SelectMany(group => group.Select(state => (group.Key, state))).Append((id, "CANCELED")).ToLookup(s => s.Item1, s => s.Item2);
}
