using System.Globalization;
using CsCheck;
using FuncStash.Schedules;

namespace FuncStash.Tests.Schedules;

/// <summary>
/// Cron expressions mean what they mean to QStash's parser, robfig/cron v3: held against a model that sets bits as it does
/// (<c>getRange</c>, <c>dayMatches</c>) and looks at every minute.
/// </summary>
public sealed class RobfigCronProperties
{
    private const long Minute = 60_000, Day = 24 * 60 * Minute;

    private static readonly string[] s_numbers = ["0", "1", "2", "5", "7", "12", "15", "23", "28", "31", "59", "60", "07", "+3"];

    private static readonly Gen<string> s_value = Gen.Frequency(
        (8, Gen.OneOf(s_numbers)), (1, Gen.OneOf("jan", "Mar", "DEC", "sun", "Mon", "FRI", "sat")), (1, Gen.OneOf("", "x", "*", "-1", "1.5")));

    private static readonly Gen<string> s_range = Gen.Frequency(
        (3, Gen.OneOf("*", "?")), (4, s_value), (3, Gen.Select(s_value, s_value, (from, to) => $"{from}-{to}")));

    private static readonly Gen<string> s_step = Gen.Frequency(
        (5, Gen.Const("")), (4, Gen.OneOf("/1", "/2", "/7", "/15", "/24", "/31", "/60", "/90", "/99999999999")),
        (1, Gen.OneOf("/0", "/", "/x", "/2/3", "/-1")));

    private static readonly Gen<string> s_piece = Gen.Select(s_range, s_step, (range, step) => range + step);

    private static readonly Gen<string> s_field = Gen.Frequency(
        (6, s_piece), (2, Gen.Select(s_piece, s_piece, (a, b) => $"{a},{b}")), (1, Gen.Select(s_piece, s_piece, (a, b) => $"{a},,{b},")));

    private static readonly Gen<string[]> s_expression = Gen.Select(
        Minutes(s_field), Hours(s_field), Some(s_field), Some(s_field), Some(s_field), (a, b, c, d, e) => new[] { a, b, c, d, e });

    [Theory]
    // A step beyond its field means the field's start.
    [InlineData("*/60 0-10 * * 1-5", "2026-01-02T10:01Z", "2026-01-05T00:00Z")]
    [InlineData("*/90 * * * *", "2026-01-01T00:01Z", "2026-01-01T01:00Z")]
    [InlineData("0 */24 * * *", "2026-01-01T00:01Z", "2026-01-02T00:00Z")]
    [InlineData("10-20/90 * * * *", "2026-01-01T00:11Z", "2026-01-01T01:10Z")]
    [InlineData("0 0 */40 * *", "2026-01-02T00:00Z", "2026-02-01T00:00Z")]
    [InlineData("0 0 1 */13 *", "2026-01-02T00:00Z", "2027-01-01T00:00Z")]
    [InlineData("0 0 * * */8", "2026-01-01T00:00Z", "2026-01-04T00:00Z")]
    [InlineData("5/70 * * * *", "2026-01-01T00:06Z", "2026-01-01T01:05Z")]
    // A step of 1 keeps the star, another one does not: Mondays only, or every second day and Mondays.
    [InlineData("0 0 */1 * 1", "2026-01-01T00:00Z", "2026-01-05T00:00Z")]
    [InlineData("0 0 ?/1 * 1", "2026-01-01T00:00Z", "2026-01-05T00:00Z")]
    [InlineData("0 0 *,13 * 1", "2026-01-01T00:00Z", "2026-01-05T00:00Z")]
    [InlineData("0 0 13 * */1", "2026-01-01T00:00Z", "2026-01-13T00:00Z")]
    [InlineData("0 0 */2 * 1", "2026-01-01T00:00Z", "2026-01-03T00:00Z")]
    [InlineData("0 0 1-31 * 1", "2026-01-01T00:00Z", "2026-01-02T00:00Z")]
    // "n/step" goes on to the field's end, which for weekdays is Saturday.
    [InlineData("0 0 * * 5/1", "2026-01-03T00:00Z", "2026-01-09T00:00Z")]
    [InlineData("5/15 * * * *", "2026-01-01T00:06Z", "2026-01-01T00:20Z")]
    [InlineData("*/20,7 * * * *", "2026-01-01T00:00Z", "2026-01-01T00:07Z")]
    [InlineData("7,*/20 * * * *", "2026-01-01T00:07Z", "2026-01-01T00:20Z")]
    [InlineData("0 0 * Jan-MAR fri", "2026-04-01T00:00Z", "2027-01-01T00:00Z")]
    [InlineData("CRON_TZ= 0 4 * * *", "2026-01-01T00:00Z", "2026-01-01T04:00Z")]
    public void An_expression_of_QStash(string cron, string after, string next) => Assert.Equal(Ms(next), Parse(cron).NextAfter(Ms(after)));

    // Beyond robfig's: what schedules were made with here goes on as it did.
    [Theory]
    [InlineData("0 0 * * 7", "2026-01-01T00:00Z", "2026-01-04T00:00Z")]
    [InlineData("0 0 * * 6-7", "2026-01-03T00:00Z", "2026-01-04T00:00Z")]
    [InlineData("0 22-2 * * *", "2026-01-01T02:00Z", "2026-01-01T22:00Z")]
    [InlineData("0 0 L * *", "2026-01-01T00:00Z", "2026-01-31T00:00Z")]
    [InlineData("0 0 15W * *", "2026-02-01T00:00Z", "2026-02-16T00:00Z")]
    [InlineData("0 0 * * 5#3", "2026-01-01T00:00Z", "2026-01-16T00:00Z")]
    [InlineData("@EVERY_MINUTE", "2026-01-01T00:00Z", "2026-01-01T00:01Z")]
    public void What_only_this_service_takes(string cron, string after, string next) => Assert.Equal(Ms(next), Parse(cron).NextAfter(Ms(after)));

    [Theory]
    [InlineData("@every 1h30m", "2026-01-01T10:00:20Z", "2026-01-01T10:00:20Z", "2026-01-01T11:31Z,2026-01-01T13:01Z")]
    [InlineData("CRON_TZ=Europe/Oslo @every 36h", "2026-03-28T12:00Z", "2026-03-28T12:00Z", "2026-03-30T00:00Z,2026-03-31T12:00Z")]
    [InlineData("@every 24h", "2026-01-01T10:00Z", "2026-06-01T12:00Z", "2026-06-02T10:00Z,2026-06-03T10:00Z")]
    public void Every_counts_from_the_creation(string cron, string since, string after, string expected)
    {
        Assert.True(CronTimes.TryParse(cron, out var times, out _, Ms(since)));
        var expectedTimes = expected.Split(',').Select(Ms).ToList();

        Assert.Equal(expectedTimes[0], times.NextAfter(Ms(after)));
        Assert.Equal(expectedTimes[1], times.NextAfter(expectedTimes[0]));
        Assert.Equal(expectedTimes[0], times.LatestUntil(expectedTimes[1] - 1));
        Assert.Equal(expectedTimes[1], times.LatestUntil(expectedTimes[1]));
        Assert.Null(times.LatestUntil(Ms(since) + Minute));
    }

    [Theory]
    [InlineData("@every 30s", "whole minutes")]
    [InlineData("@every 90s", "whole minutes")]
    [InlineData("@every 0m", "whole minutes")]
    [InlineData("@every 99999h", "ten years")]
    [InlineData("@every 5", "duration")]
    [InlineData("@every soon", "duration")]
    [InlineData("", "empty spec string")]
    [InlineData("5\0 * * * *", "Minutes")]
    [InlineData(", * * * *", "Minutes")]
    public void What_is_refused_is_told(string cron, string reason)
    {
        Assert.False(CronTimes.TryParse(cron, out _, out var error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_robfig_accepts_is_accepted_with_its_times() => Gen.Select(s_expression, Gen.Long[0, 20 * 365]).Sample((fields, day) =>
    {
        var cron = string.Join(' ', fields);
        if (fields.Contains("") || Model.Of(fields) is not { } model)
            return;
        var from = Ms("2020-01-01T00:00Z") + (day * Day) + (day % 1440 * Minute);
        var accepted = CronTimes.TryParse(cron, out var times, out _);
        // One that never fires, or has a field with no value in it, is refused.
        var isWhole = !fields.Any(field => field.All(c => c == ','));
        Assert.True(accepted == (model.EverFires && isWhole), cron);
        for (var (n, at) = (0, from); n < 5 && accepted; n++)
        {
            var expected = model.NextAfter(at);
            Assert.True(expected == times!.NextAfter(at), $"{cron} after {at}: {times.NextAfter(at)}, not {expected}");
            at = expected;
        }
    }, iter: 20_000);

    [Fact]
    public void Most_expressions_of_the_property_are_ones_that_robfig_accepts()
    {
        var (accepted, firing) = (0, 0);
        s_expression.Sample(fields =>
        {
            if (fields.Contains("") || Model.Of(fields) is not { } model)
                return;
            Interlocked.Increment(ref accepted);
            if (model.EverFires)
                Interlocked.Increment(ref firing);
        }, iter: 5_000);
        Assert.InRange(accepted, 500, 5_000);
        Assert.InRange(firing, 400, 5_000);
    }

    /// <summary>robfig/cron's own bits, and its day rule, in the plainest form.</summary>
    private sealed class Model(ulong minute, ulong hour, ulong day, ulong month, ulong weekday)
    {
        private const ulong StarBit = 1UL << 63;

        private static readonly string[] s_months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        private static readonly string[] s_days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

        public static Model? Of(string[] fields) =>
            Field(fields[0], 0, 59, []) is { } minute && Field(fields[1], 0, 23, []) is { } hour && Field(fields[2], 1, 31, []) is { } day
            && Field(fields[3], 1, 12, s_months) is { } month && Field(fields[4], 0, 6, s_days) is { } weekday
                ? new Model(minute, hour, day, month, weekday)
                : null;

        public bool EverFires => (minute & ~StarBit) != 0 && (hour & ~StarBit) != 0
            && Enumerable.Range(0, 366 * 28).Any(n => DayMatches(DateTime.UnixEpoch.AddYears(50).AddDays(n)));

        public long NextAfter(long ms)
        {
            for (var at = DateTime.UnixEpoch.AddMilliseconds(ms - (ms % Minute) + Minute); ; )
            {
                if (!DayMatches(at))
                    at = at.Date.AddDays(1);
                else if (!Has(hour, at.Hour))
                    at = at.Date.AddHours(at.Hour + 1);
                else if (!Has(minute, at.Minute))
                    at = at.AddMinutes(1);
                else
                    return (long)(at - DateTime.UnixEpoch).TotalMilliseconds;
            }
        }

        private bool DayMatches(DateTime at)
        {
            var (inMonth, inWeek) = (Has(day, at.Day), Has(weekday, (int)at.DayOfWeek));
            return Has(month, at.Month) && ((day & StarBit) > 0 || (weekday & StarBit) > 0 ? inMonth && inWeek : inMonth || inWeek);
        }

        private static bool Has(ulong bits, int n) => (bits & (1UL << n)) > 0;

        private static ulong? Field(string text, ulong min, ulong max, string[] names)
        {
            var bits = 0UL;
            foreach (var expression in text.Split(',').Where(e => e.Length > 0))
            {
                if (Range(expression, min, max, names) is not { } range)
                    return null;
                bits |= range;
            }
            return bits;
        }

        private static ulong? Range(string expression, ulong min, ulong max, string[] names)
        {
            var rangeAndStep = expression.Split('/');
            var lowAndHigh = rangeAndStep[0].Split('-');
            ulong start, end, step = 1, extra = 0;
            if (lowAndHigh[0] is "*" or "?")
                (start, end, extra) = (min, max, StarBit);
            else
            {
                if (Number(lowAndHigh[0], names, min) is not { } low || lowAndHigh.Length > 2)
                    return null;
                if (Number(lowAndHigh[^1], names, min) is not { } high)
                    return null;
                (start, end) = (low, high);
            }
            if (rangeAndStep.Length > 2)
                return null;
            if (rangeAndStep.Length == 2)
            {
                if (Number(rangeAndStep[1], [], min) is not { } number)
                    return null;
                step = number;
                if (lowAndHigh.Length == 1)
                    end = max;
                if (step > 1)
                    extra = 0;
            }
            if (start < min || end > max || start > end || step == 0)
                return null;
            var bits = extra;
            for (var i = start; i <= end; i += step)
                bits |= 1UL << (int)i;
            return bits;
        }

        private static ulong? Number(string text, string[] names, ulong min)
        {
            var name = Array.IndexOf(names, text.ToLowerInvariant());
            return name >= 0 ? (ulong)name + min
                : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= 0 ? (ulong)number
                : null;
        }
    }

    // Mostly what fits the field, or hardly any whole expression would.
    private static Gen<string> Minutes(Gen<string> any) => Gen.Frequency((1, any), (3, Gen.OneOf("0", "*", "*/60", "*/1", "10-20/90", "5/15", "59", "*/7,3")));

    private static Gen<string> Hours(Gen<string> any) => Gen.Frequency((1, any), (3, Gen.OneOf("0", "*", "*/24", "?", "0-10", "12/7", "23")));

    private static Gen<string> Some(Gen<string> any) => Gen.Frequency((1, any), (2, Gen.OneOf("*", "?", "*/1", "*/2", "1", "5-6", "3/2", "*,2", "1-6/9")));

    private static CronTimes Parse(string cron) =>
        CronTimes.TryParse(cron, out var times, out var error) ? times : throw new FormatException(error);

    private static long Ms(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
}
