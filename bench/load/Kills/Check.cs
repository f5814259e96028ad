namespace FuncStash.Bench.Kills;

/// <summary>Something that must hold.</summary>
/// <param name="Name">in the report</param>
/// <param name="Faults">where it does not</param>
/// <param name="Spoil">the evidence with one thing changed that the check has to see; null when there is nothing to change</param>
internal sealed record Check(string Name, Func<Evidence, IEnumerable<string>> Faults, Func<Evidence, Evidence?> Spoil)
{
    public static readonly IReadOnlyList<Check> All =
    [
        new("every acknowledged message got the answer that ends it", Ends.Lost, Spoils.Lost),
        new("it ended once, as its answers say, in the server's log too", Ends.States, Spoils.States),
        new("those that failed, and no others, are dead letters, once", Ends.DeadLetters, Spoils.DeadLetters),
        new("no attempt of a message that was cancelled before", Ends.Cancelled, Spoils.Cancelled),
        new("bodies are what was published, byte for byte", Identity.Bodies, Spoils.Bodies),
        new("a message comes under the id that was acknowledged, and no other message does", Identity.Ids, Spoils.Ids),
        new("one message for a deduplication id, whoever published it and when", Identity.Deduplicated, Spoils.Deduplicated),
        new("attempts go on one by one to the last and no further", Attempts.Steps, Spoils.Steps),
        new("an attempt is made twice only where a kill came before its outcome was stored", Attempts.Explained, Spoils.Explained),
        new("no attempt before its time: delays, waits before retries", Attempts.Early, Spoils.Early),
        new("a callback for each attempt, a failure callback for each failure, delivered", Followers.Missing, Spoils.Callback),
        new("no other callbacks, and none twice", Followers.Extra, Spoils.ExtraCallback),
        new("a queue's next message is not sent before the one ahead is over, callbacks included", Lines.Overlaps, Spoils.Overlap),
        new("a queue's messages go out in the order they were accepted", Lines.Order, Spoils.Order),
        new("never more than `parallelism` in flight", Limits.Parallelism, Spoils.Parallelism),
        new("never more than `rate` in a period", Limits.Rate, Spoils.Rate),
        new("a schedule's run is made, each minute", Runs.Missing, Spoils.MissingRun),
        new("a schedule's run is made once, and none after the deletion", Runs.Extra, Spoils.ExtraRun),
    ];
}
