using System.Globalization;

namespace FuncStash.Bench.Kills;

/// <summary>A kind of message and how many of them there are.</summary>
/// <param name="PerSecond">published a second, by all publishers of the kind, while the server is there</param>
/// <param name="Publishers">side by side; one of a queue, so that its order of acceptance is known</param>
/// <param name="Most">acknowledged and not at their end at a time: what would pile up is not published</param>
/// <param name="Make">a note of the kind</param>
internal sealed record Kind(string Name, double PerSecond, int Publishers, int Most, Func<Random, Note, Note> Make);

/// <summary>What a kill run publishes.</summary>
internal static class Mix
{
    public const int Queues = 3;

    private const int MaxBig = 900 * 1024, MinBig = 257 * 1024;

    /// <summary>So slow that messages always wait for its next period: then its limit shows.</summary>
    public static readonly FlowKey Rated = new("rated", Rate: 20, PeriodSeconds: 10);

    private static readonly FlowKey[] s_parallel = [new("two", Parallelism: 2), new("five", Parallelism: 5)];

    public static readonly IReadOnlyList<Kind> All =
    [
        new("plain", 200, 10, 600, (_, note) => note),
        new("delayed", 100, 6, 600, (random, note) => note with { DelayMs = random.Next(200, 3_000) }),
        new("retried", 50, 4, 300, (random, note) => Retried(random, note, random.Next(1, 4))),
        .. Enumerable.Range(1, Queues).Select(n => new Kind(
            string.Create(CultureInfo.InvariantCulture, $"queue {n}"), 10, 1, 40, (random, note) => Queued(random, note, n))),
        new("parallelism", 40, 4, 60, (random, note) =>
            Sometimes(random, 0.15, note, failing => Retried(random, failing, 1)) with
            {
                Key = s_parallel[random.Next(2)], HoldMs = random.Next(10, 60),
            }),
        new("rate", 8, 1, 50, (_, note) => note with { Key = Rated }),
        new("callback", 40, 4, 200, (random, note) =>
            Retried(random, note, random.Next(3)) with { Callback = true, FailureCallback = true, CallbackFails = random.Next(2) }),
        new("dead", 20, 2, 100, (random, note) => Dead(random, note)),
        new("big", 1.5, 1, 10, (random, note) => note with { Bytes = random.Next(MinBig, MaxBig) }),
        new("deduplicated", 20, 4, 100, (random, note) =>
            note with { DeduplicationId = string.Create(CultureInfo.InvariantCulture, $"twin-{note.Seq}") }),
        new("cancelled", 20, 4, 100, (random, note) => Cancelled(random, note)),
    ];

    private static Note Retried(Random random, Note note, int fails) =>
        note with { Fails = fails, Retries = fails + random.Next(2) };

    private static Note Dead(Random random, Note note)
    {
        var retries = random.Next(3);
        return note with
        {
            Fails = retries + 1, Retries = retries, Fatal = random.Next(4) == 0,
            FailureCallback = random.Next(4) > 0, Callback = random.Next(2) == 0, CallbackFails = random.Next(2),
        };
    }

    private static Note Queued(Random random, Note note, int n)
    {
        var queued = note with { Queue = string.Create(CultureInfo.InvariantCulture, $"queue.{n}") };
        return random.Next(20) switch
        {
            0 => Dead(random, queued),
            1 or 2 => Retried(random, queued, 1),
            3 or 4 => queued with { Callback = true, CallbackFails = random.Next(2) },
            5 => queued with { CancelAfterMs = random.Next(100) },
            _ => queued,
        };
    }

    // While it waits, or between two attempts.
    private static Note Cancelled(Random random, Note note) =>
        Sometimes(random, 0.5, note with { DelayMs = 3_000 }, _ => note with { Fails = 20, Retries = 20 }) with
        {
            CancelAfterMs = random.Next(50, 1_000),
        };

    private static Note Sometimes(Random random, double share, Note note, Func<Note, Note> change) =>
        random.NextDouble() < share ? change(note) : note;
}
