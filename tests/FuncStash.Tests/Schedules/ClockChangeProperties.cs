using CsCheck;
using FuncStash.Schedules;

namespace FuncStash.Tests.Schedules;

/// <summary>
/// Cron times around changes of the clocks, held against a model that looks at every minute: what the clock on the wall
/// skips fires at the first moment after the gap; what it shows twice fires the second time only for an interval.
/// </summary>
public sealed class ClockChangeProperties
{
    private const long Minute = 60_000, Hour = 60 * Minute, Span = 36 * Hour;

    // Gaps and overlaps of an hour and of half an hour, north and south, in the night and at midnight.
    private static readonly string[] s_zones =
        ["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo", "Asia/Beirut"];

    private static readonly (TimeZoneInfo Zone, long At)[] s_changes =
        [.. s_zones.Select(TimeZoneInfo.FindSystemTimeZoneById).SelectMany(zone => Changes(zone).Select(at => (zone, at)))];

    private static readonly Field[] s_minutes =
    [
        Range("*", 0, 59), Range("*/7", 0, 59, 7), Range("10-40", 10, 40), Range("5-59/20", 5, 59, 20),
        List("0", 0), List("30", 30), List("59", 59), List("0,15,45", 0, 15, 45),
    ];

    private static readonly Field[] s_hours =
    [
        Range("*", 0, 23), Range("*/2", 0, 23, 2), Range("1-3", 1, 3),
        List("0", 0), List("1", 1), List("2", 2), List("3", 3), List("23", 23), List("0,2,23", 0, 2, 23),
    ];

    private static readonly Field[] s_weekdays = [List("*", 0, 1, 2, 3, 4, 5, 6), List("0", 0), List("5,6", 5, 6), List("4", 4)];

    private static readonly Gen<(TimeZoneInfo Zone, long At, Field Minute, Field Hour, Field Weekday)> s_cases =
        Gen.Select(Gen.OneOf(s_changes), Gen.OneOf(s_minutes), Gen.OneOf(s_hours), Gen.OneOf(s_weekdays),
            (change, minute, hour, weekday) => (change.Zone, change.At, minute, hour, weekday));

    [Fact]
    public void The_times_are_those_that_a_look_at_every_minute_gives() => s_cases.Sample(c =>
    {
        var times = Parse(c.Zone, c.Minute, c.Hour, c.Weekday);
        var (from, to) = (c.At - Span, c.At + Span);
        var expected = Model(c.Zone, from, to, c.Minute, c.Hour, c.Weekday).ToList();
        var actual = new List<long>();
        for (var at = times.NextAfter(from - 1); at < to; at = times.NextAfter(at.Value))
            actual.Add(at.Value);
        Assert.Equal(expected, actual);
    }, iter: 2_000);

    [Fact]
    public void The_latest_time_is_the_last_of_them() => Gen.Select(s_cases, Gen.Long[-3 * Hour, 3 * Hour]).Sample((c, offset) =>
    {
        var until = c.At + offset;
        var model = Model(c.Zone, c.At - Span, until + 1, c.Minute, c.Hour, c.Weekday);
        if (model.Select(at => (long?)at).LastOrDefault() is { } last)
            Assert.Equal(last, Parse(c.Zone, c.Minute, c.Hour, c.Weekday).LatestUntil(until));
    }, iter: 2_000);

    [Fact]
    public void Both_kinds_of_change_are_among_the_cases()
    {
        Assert.Contains(s_changes, change => Offset(change.Zone, change.At) - Offset(change.Zone, change.At - 1) == Hour);
        Assert.Contains(s_changes, change => Offset(change.Zone, change.At) - Offset(change.Zone, change.At - 1) == -Hour / 2);
    }

    /// <summary>A field of an expression, and what it stands for.</summary>
    private sealed record Field(string Text, bool IsInterval, int[] Values)
    {
        public override string ToString() => Text;
    }

    private static Field Range(string text, int from, int to, int step = 1) =>
        new(text, true, [.. Enumerable.Range(from, to - from + 1).Where(n => (n - from) % step == 0)]);

    private static Field List(string text, params int[] values) => new(text, false, values);

    private static IEnumerable<long> Model(TimeZoneInfo zone, long from, long to, Field minute, Field hour, Field weekday)
    {
        var isInterval = minute.IsInterval || hour.IsInterval;
        var latest = long.MinValue;
        for (var at = from - (from % Minute) - Span; at < to; at += Minute)
        {
            var local = at + Offset(zone, at);
            // In a gap the clock jumps over these; in an overlap it has shown them before.
            var skipped = latest == long.MinValue ? 0 : Math.Max(0, local - latest - Minute);
            var isShownAgain = local <= latest;
            var fires = isShownAgain ? isInterval && Matches(local) : Enumerable.Range(0, (int)(skipped / Minute) + 1).Any(n => Matches(local - (n * Minute)));
            latest = Math.Max(latest, local);
            if (fires && at >= from)
                yield return at;
        }

        bool Matches(long local)
        {
            var clock = DateTimeOffset.FromUnixTimeMilliseconds(local);
            return minute.Values.Contains(clock.Minute) && hour.Values.Contains(clock.Hour) && weekday.Values.Contains((int)clock.DayOfWeek);
        }
    }

    private static CronTimes Parse(TimeZoneInfo zone, Field minute, Field hour, Field weekday) =>
        CronTimes.TryParse($"CRON_TZ={zone.Id} {minute} {hour} * * {weekday}", out var times, out var error) ? times : throw new FormatException(error);

    private static long Offset(TimeZoneInfo zone, long at) =>
        (long)zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(at)).TotalMilliseconds;

    // The first moments of another offset, in 2024 to 2027.
    private static IEnumerable<long> Changes(TimeZoneInfo zone)
    {
        var end = new DateTimeOffset(2028, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        for (var at = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(); at < end; at += Hour / 2)
        {
            if (Offset(zone, at) != Offset(zone, at - (Hour / 2)))
                yield return at;
        }
    }
}
