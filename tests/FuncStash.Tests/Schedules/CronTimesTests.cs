using System.Globalization;
using CsCheck;
using FuncStash.Schedules;

namespace FuncStash.Tests.Schedules;

public sealed class CronTimesTests
{
    [Theory]
    [InlineData("*/10 * * * *", "2026-01-01T00:00Z", "2026-01-01T00:10Z")]
    [InlineData("  */10 * * * *  ", "2026-01-01T00:03Z", "2026-01-01T00:10Z")]
    [InlineData("0 4 * * MON-FRI", "2026-01-02T05:00Z", "2026-01-05T04:00Z")]
    [InlineData("CRON_TZ=Europe/Oslo 0 4 * * *", "2026-01-01T00:00Z", "2026-01-01T03:00Z")]
    [InlineData("CRON_TZ=Europe/Oslo 0 4 * * *", "2026-07-01T00:00Z", "2026-07-01T02:00Z")]
    [InlineData("TZ=America/New_York 30 23 * * *", "2026-01-01T00:00Z", "2026-01-01T04:30Z")]
    [InlineData("CRON_TZ=Asia/Kolkata @daily", "2026-01-01T00:00Z", "2026-01-01T18:30Z")]
    [InlineData("@hourly", "2026-01-01T00:00Z", "2026-01-01T01:00Z")]
    [InlineData("@weekly", "2026-01-01T00:00Z", "2026-01-04T00:00Z")]
    [InlineData("0 0 29 2 *", "2026-01-01T00:00Z", "2028-02-29T00:00Z")]
    public void The_next_time(string cron, string after, string next) => Assert.Equal(Ms(next), Parse(cron).NextAfter(Ms(after)));

    // As crontab(5) has it: the 13th, and every Friday.
    [Theory]
    [InlineData("0 0 13 * 5", "2026-01-01T00:00Z", "2026-01-02T00:00Z")]
    [InlineData("0 0 13 * 5", "2026-01-09T00:00Z", "2026-01-13T00:00Z")]
    [InlineData("0 0 13 * ?", "2026-01-01T00:00Z", "2026-01-13T00:00Z")]
    public void Two_restricted_day_fields_are_alternatives(string cron, string after, string next) =>
        Assert.Equal(Ms(next), Parse(cron).NextAfter(Ms(after)));

    [Theory]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("* * * * * *")]
    [InlineData("61 * * * *")]
    [InlineData("x * * * *")]
    [InlineData("@every_second")]
    [InlineData("0 0 30 2 *")]
    [InlineData("H * * * *")]
    [InlineData("CRON_TZ=Nowhere/Land 0 4 * * *")]
    [InlineData("CRON_TZ=../../etc/passwd 0 4 * * *")]
    [InlineData("CRON_TZ=Europe/Oslo")]
    public void What_is_no_cron_expression_is_refused(string cron)
    {
        Assert.False(CronTimes.TryParse(cron, out var times, out var error));
        Assert.Null(times);
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("H * * * *")]
    [InlineData("0 H(0-7) * * *")]
    [InlineData("H/15 * * * *")]
    public void An_H_has_no_meaning_here(string cron)
    {
        Assert.False(CronTimes.TryParse(cron, out _, out var error));
        Assert.Equal("H is not supported, give a value", error);
    }

    // Oslo skips 02:00-03:00 on 29 March 2026 and has it twice on 25 October; New York on 8 March and 1 November.
    [Theory]
    [InlineData("CRON_TZ=Europe/Oslo 30 2 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z,2026-03-30T00:30Z")]
    [InlineData("CRON_TZ=Europe/Oslo 30 2 * * *", "2026-10-24T12:00Z", "2026-10-25T00:30Z,2026-10-26T01:30Z")]
    [InlineData("CRON_TZ=Europe/Oslo */30 2 * * *", "2026-10-24T12:00Z",
        "2026-10-25T00:00Z,2026-10-25T00:30Z,2026-10-25T01:00Z,2026-10-25T01:30Z,2026-10-26T01:00Z")]
    [InlineData("CRON_TZ=Europe/Oslo 0 * * * *", "2026-03-29T00:30Z", "2026-03-29T01:00Z,2026-03-29T02:00Z")]
    [InlineData("CRON_TZ=America/New_York 30 2 * * *", "2026-03-07T12:00Z", "2026-03-08T07:00Z,2026-03-09T06:30Z")]
    [InlineData("CRON_TZ=America/New_York 30 1 * * *", "2026-10-31T12:00Z", "2026-11-01T05:30Z,2026-11-02T06:30Z")]
    [InlineData("CRON_TZ=America/New_York 0 * * * *", "2026-11-01T04:30Z",
        "2026-11-01T05:00Z,2026-11-01T06:00Z,2026-11-01T07:00Z")]
    public void Clocks_that_are_set(string cron, string after, string expected)
    {
        var times = Parse(cron);
        var seen = new List<long>();
        for (var at = Ms(after); seen.Count < expected.Split(',').Length; seen.Add(at))
            at = times.NextAfter(at)!.Value;

        Assert.Equal(expected.Split(',').Select(Ms), seen);
    }

    [Fact]
    public void The_latest_time_is_the_one_that_no_other_follows_until_then() =>
        Gen.Select(
            Gen.OneOf("* * * * *", "30 2 * * *", "*/7 1-3 * * *", "0 0 13 * 5", "15 3 1 * *"),
            Gen.OneOf("", "CRON_TZ=Europe/Oslo ", "CRON_TZ=America/New_York "),
            Gen.Long[Ms("2026-01-01T00:00Z"), Ms("2027-01-01T00:00Z")])
        .Sample((cron, zone, until) =>
        {
            var times = Parse(zone + cron);
            var latest = times.LatestUntil(until)!.Value;
            Assert.InRange(latest, 0, until);
            Assert.True(times.NextAfter(latest) > until);
            Assert.Equal(latest, times.NextAfter(latest - 1));
        }, iter: 2_000);

    private static CronTimes Parse(string cron) =>
        CronTimes.TryParse(cron, out var times, out var error) ? times : throw new FormatException(error);

    private static long Ms(string time) =>
        DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
}
