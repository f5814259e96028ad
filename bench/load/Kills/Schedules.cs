using System.Globalization;

namespace FuncStash.Bench.Kills;

/// <summary>A schedule of a run: every minute. Times are unix milliseconds.</summary>
internal sealed record ScheduleNote(int Number)
{
    /// <summary>When it was first acknowledged.</summary>
    public double MadeAt { get; set; }

    /// <summary>When its deletion was sent, and acknowledged.</summary>
    public double DeletingAt { get; set; }

    public double DeletedAt { get; set; }

    /// <summary>The minutes at which it must have run; those at its two ends may or may not count.</summary>
    public IEnumerable<long> Minutes
    {
        get
        {
            for (var minute = (long)(MadeAt / 60_000) + 1; minute * 60_000 + Schedules.SlackMs < DeletingAt; minute++)
                yield return minute;
        }
    }
}

/// <summary>Makes the run's schedules. Half of them are made again and again, as a program does each time it is deployed,
/// which must neither lose nor repeat the run that is due (docs/schedules.md).</summary>
internal sealed class Schedules(Target target, Clock clock)
{
    public const int Bytes = 100;

    /// <summary>A minute that ended less than this before the deletion may have had no run yet, in milliseconds.</summary>
    public const double SlackMs = 20_000;

    private const int Number = 10;

    public IReadOnlyList<ScheduleNote> All { get; } = [.. Enumerable.Range(0, Number).Select(n => new ScheduleNote(n))];

    public async Task MakeAsync(string receiver, CancellationToken end)
    {
        foreach (var schedule in All)
        {
            await MakeAsync(schedule, receiver, end);
            schedule.MadeAt = clock.Now;
        }
    }

    public async Task MakeAgainAsync(string receiver, CancellationToken stop, CancellationToken end)
    {
        try
        {
            while (true)
            {
                foreach (var schedule in All.Where(schedule => schedule.Number % 2 == 0))
                {
                    await clock.DelayAsync(200, stop);
                    await MakeAsync(schedule, receiver, end);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    public async Task DeleteAsync(CancellationToken end)
    {
        foreach (var schedule in All)
        {
            schedule.DeletingAt = clock.Now;
            await target.InsistAsync(HttpMethod.Delete, "v2/schedules/" + Id(schedule), null, [], end, expected: 404);
            schedule.DeletedAt = clock.Now;
        }
    }

    private async Task MakeAsync(ScheduleNote schedule, string receiver, CancellationToken end) => await target.InsistAsync(
        HttpMethod.Post, $"v2/schedules/{receiver}{Witness.PathOf(Role.Scheduled, schedule.Number)}",
        Note.BodyOf(schedule.Number, Bytes), [("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", Id(schedule))], end);

    private static string Id(ScheduleNote schedule) => string.Create(CultureInfo.InvariantCulture, $"minutely.{schedule.Number}");
}
