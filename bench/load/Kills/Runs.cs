namespace FuncStash.Bench.Kills;

/// <summary>Schedules of every minute. A run comes within its minute, for no life of the server is that far from the next.</summary>
internal static class Runs
{
    /// <summary>A run that was made right before the deletion may come so much later, in milliseconds.</summary>
    private const double UnderWayMs = 5_000;

    public static IEnumerable<string> Missing(Evidence evidence)
    {
        foreach (var schedule in evidence.Schedules)
        {
            var made = Of(evidence, schedule).Select(Minute).ToHashSet();
            foreach (var minute in schedule.Minutes.Where(minute => !made.Contains(minute)))
                yield return $"schedule {schedule.Number} made no run of {DateTimeOffset.FromUnixTimeSeconds(minute * 60):HH:mm}";
        }
    }

    public static IEnumerable<string> Extra(Evidence evidence)
    {
        foreach (var schedule in evidence.Schedules)
        {
            foreach (var minute in Of(evidence, schedule).GroupBy(Minute).Where(minute => minute.Count() > 1))
                yield return $"schedule {schedule.Number} made {string.Join(" and ", minute.Select(chain => chain.Attempts[0]))}";
            foreach (var late in Of(evidence, schedule).Where(chain => chain.Attempts[0].At > schedule.DeletedAt + UnderWayMs))
                yield return $"schedule {schedule.Number} was deleted before {late.Attempts[0]}";
        }
    }

    private static IEnumerable<Chain> Of(Evidence evidence, ScheduleNote schedule) =>
        evidence.Chains.Where(chain => chain.Role == Role.Scheduled && chain.Number == schedule.Number);

    private static long Minute(Chain chain) => (long)(chain.Attempts[0].At / 60_000);
}
