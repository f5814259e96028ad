using System.Globalization;
using CsCheck;
using FuncStash.Retries;

namespace FuncStash.Tests.Retries;

public sealed class RetryAfterTests
{
    private static readonly DateTimeOffset s_now = new(2024, 6, 27, 12, 0, 0, TimeSpan.Zero);

    private static TimeSpan? Parse(params (string Name, string Value)[] headers) =>
        RetryAfter.Parse(
            name => headers.Where(header => header.Name == name).Select(header => header.Value).ToArray(), s_now);

    [Theory]
    [InlineData("10", "00:00:10")]
    [InlineData("0", "00:00:00")]
    [InlineData("120; comment=later", "00:02:00")]
    [InlineData("5;x, 7;w=60", "00:00:07")]
    [InlineData("1.5", "00:00:01.5")]
    [InlineData(" 7 ", "00:00:07")]
    [InlineData("86400", "1.00:00:00")]
    [InlineData("-5", "00:00:00")]
    [InlineData("+5", "00:00:05")]
    [InlineData("6m5s", "00:06:05")]
    [InlineData("1h2m3.5s", "01:02:03.5")]
    [InlineData("20ms", "00:00:00.02")]
    [InlineData("6m0s", "00:06:00")]
    [InlineData("-1m", "00:00:00")]
    [InlineData("24h", "1.00:00:00")]
    // The documentation's example names the wrong weekday: it was a Thursday.
    [InlineData("Sun, 27 Jun 2024 12:16:24 GMT", "00:16:24")]
    [InlineData("Thu, 27 Jun 2024 12:16:24 GMT", "00:16:24")]
    [InlineData("Thu, 27 Jun 2024 12:16:24 UTC", "00:16:24")]
    [InlineData("Thursday, 27-Jun-24 12:16:24 GMT", "00:16:24")]
    [InlineData("Thu Jun 27 12:16:24 2024", "00:16:24")]
    [InlineData("Fri, 28 Jun 2024 12:00:00 GMT", "1.00:00:00")]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", "00:00:00")]
    [InlineData("Sun Nov  6 08:49:37 1994", "00:00:00")]
    [InlineData("Thu, 27 Jun 2024 12:16:24 +0000", "00:16:24")]
    [InlineData("Thu, 27 Jun 2024 14:16:24 +0200", "00:16:24")]
    [InlineData("Thursday, 27-Jun-2024 12:16:24 GMT", "00:16:24")]
    [InlineData("2024-06-27T12:16:24Z", "00:16:24")]
    [InlineData("2024-06-27T12:16:24", "00:16:24")]
    [InlineData("2024-06-27T14:16:24.5+02:00", "00:16:24.5")]
    [InlineData("2024-06-27T12:16:24.1234567Z", "00:16:24.1234567")]
    [InlineData("2024-06-27 12:16:24", "00:16:24")]
    [InlineData("2024-06-27T12:16Z", "00:16:00")]
    [InlineData("20240627T121624Z", "00:16:24")]
    [InlineData("1994-11-06T08:49:37Z", "00:00:00")]
    [InlineData("1719490584", "00:16:24")]
    [InlineData("1719490584.5", "00:16:24.5")]
    [InlineData("1719490584500", "00:16:24.5")]
    [InlineData("1719489600", "00:00:00")]
    [InlineData("1719489599", "00:00:00")]
    [InlineData("1719576000", "1.00:00:00")]
    [InlineData(".5", "00:00:00.5")]
    [InlineData("5.", "00:00:05")]
    [InlineData("\"30\"", "00:00:30")]
    [InlineData("1, 1", "00:00:01")]
    [InlineData("1,30 , 7", "00:00:30")]
    [InlineData("1, soon, 100000, 7", "00:00:07")]
    [InlineData("5, Thu, 27 Jun 2024 12:16:24 GMT", "00:16:24")]
    [InlineData("Thu, 27 Jun 2024 12:16:24 GMT, Thu, 27 Jun 2024 12:16:25 GMT", "00:16:25")]
    [InlineData("\"Thu, 27 Jun 2024 12:16:24 GMT\"", "00:16:24")]
    [InlineData("1s, 2m", "00:02:00")]
    [InlineData("thu, 27 jun 2024 12:16:24 gmt", "00:16:24")]
    [InlineData("THU, 27 JUN 2024 12:16:24 GMT", "00:16:24")]
    [InlineData("thursday, 27-jun-24 12:16:24 gmt", "00:16:24")]
    [InlineData("thu jun 27 12:16:24 2024", "00:16:24")]
    [InlineData("2024-06-27t12:16:24z", "00:16:24")]
    // As Ruby and JavaScript write a date.
    [InlineData("2024-06-27 12:16:24 UTC", "00:16:24")]
    [InlineData("2024-06-27 14:16:24 +0200", "00:16:24")]
    [InlineData("Thu Jun 27 2024 14:16:24 GMT+0200 (Central European Summer Time)", "00:16:24")]
    [InlineData("5 seconds", "00:00:05")]
    [InlineData("5 second", "00:00:05")]
    [InlineData("5s", "00:00:05")]
    [InlineData("5 s", "00:00:05")]
    [InlineData("5S", "00:00:05")]
    [InlineData("5 Secs", "00:00:05")]
    [InlineData("1.5 sec", "00:00:01.5")]
    [InlineData("250 milliseconds", "00:00:00.25")]
    [InlineData("250 MS", "00:00:00.25")]
    [InlineData("1 minute", "00:01:00")]
    [InlineData("1 min 30 sec", "00:01:30")]
    [InlineData("1m 30s", "00:01:30")]
    [InlineData("2 Hours", "02:00:00")]
    [InlineData("1 day", "1.00:00:00")]
    [InlineData("+5 seconds", "00:00:05")]
    [InlineData("-5 seconds", "00:00:00")]
    [InlineData("5 seconds, 7 seconds", "00:00:07")]
    [InlineData("5 seconds; comment=later", "00:00:05")]
    // A micro sign in Latin-1 and in UTF-8.
    [InlineData("500000\u00B5s", "00:00:00.5")]
    [InlineData("500000\u00C2\u00B5s", "00:00:00.5")]
    public void Reads_seconds_durations_and_dates(string value, string expected) =>
        Assert.Equal(TimeSpan.Parse(expected, CultureInfo.InvariantCulture), Parse(("Retry-After", value)));

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-")]
    [InlineData("--5")]
    [InlineData("86400.5")]
    [InlineData("24h1s")]
    [InlineData("1719576001")] // a day and a second
    [InlineData("1719403199")] // ago
    [InlineData("1719576000001")]
    [InlineData("1000000000")]
    [InlineData("99999999999")]
    [InlineData("99999999999999999999999999999999")]
    [InlineData(",")]
    [InlineData("Thu,")]
    [InlineData("1e3")]
    [InlineData("2024-13-01T00:00:00Z")]
    [InlineData("Fri, 28 Jun 2024 12:00:01 GMT")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    [InlineData("Thu, 31 Jun 2024 12:16:24 GMT")]
    [InlineData("Thu, 27 Jun 2024")]
    [InlineData("12:16:24")]
    [InlineData("5M")] // minutes, months, mega
    [InlineData("5 months")]
    [InlineData("2 days")]
    [InlineData("seconds")]
    [InlineData("in 5 seconds")]
    [InlineData("5 seconds from now")]
    [InlineData("1 hour 30")]
    [InlineData("five seconds")]
    [InlineData("thu, 27 jun 2024 12:16:24 est")]
    public void Ignores_what_it_cannot_read_and_what_is_more_than_a_day_away(string value) =>
        Assert.Null(Parse(("Retry-After", value)));

    [Fact]
    public void No_header_is_no_wish() => Assert.Null(Parse());

    [Fact]
    public void The_first_usable_header_wins_in_the_contracts_order()
    {
        (string, string)[] all =
        [
            ("X-RateLimit-Reset-Tokens", "4"), ("X-RateLimit-Reset-Requests", "3"), ("X-RateLimit-Reset", "2"), ("Retry-After", "1"),
        ];
        for (var usable = 1; usable <= 4; usable++)
        {
            var seconds = 5 - usable;
            Assert.Equal(TimeSpan.FromSeconds(seconds), Parse(all[..usable]));
            Assert.Equal(TimeSpan.FromSeconds(seconds), Parse([.. all[..usable], .. all[usable..].Select(header => (header.Item1, "soon"))]));
        }
    }

    [Fact]
    public void Of_several_lines_the_longest_usable_counts() =>
        Assert.Equal(TimeSpan.FromSeconds(9), Parse(("Retry-After", "1"), ("Retry-After", "9, 3"), ("Retry-After", "100000"), ("X-RateLimit-Reset", "20")));

    [Theory]
    [InlineData("30", "RateLimit-Reset: 30")]
    [InlineData("30", "RateLimit-Reset: 30", "RateLimit-Remaining: 0")]
    [InlineData(null, "RateLimit-Reset: 30", "RateLimit-Remaining: 5")]
    [InlineData("30", "RateLimit: \"default\";r=0;t=30")]
    [InlineData("60", "RateLimit: \"burst\";r=0;t=5, \"daily\"; r=0; t=60, \"other\";r=9;t=900")]
    [InlineData(null, "RateLimit: \"default\";r=50;t=30")]
    [InlineData("12", "RateLimit: limit=100, remaining=0, reset=12")]
    [InlineData(null, "RateLimit: limit=100, remaining=3, reset=12")]
    [InlineData(null, "RateLimit: \"default\";r=0;t=100000")]
    [InlineData(null, "RateLimit: \"default\";r=0")]
    [InlineData(null, "RateLimit: nonsense;;=,r=0")]
    [InlineData(null, "RateLimit-Reset: -1")]
    [InlineData("2", "RateLimit-Reset: 30", "Retry-After: 2")]
    public void The_drafts_of_the_IETF_count_where_nothing_is_left(string? seconds, params string[] headers)
    {
        var wait = Parse([.. headers.Select(header => header.Split(": ")).Select(pair => (pair[0], pair[1]))]);
        Assert.Equal(seconds, wait?.TotalSeconds.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public void A_date_within_a_day_is_waited_for_to_the_second() =>
        Gen.Int[-200_000, 200_000].Sample(seconds =>
        {
            var date = s_now.AddSeconds(seconds).ToString("r", CultureInfo.InvariantCulture);
            TimeSpan? expected = seconds > 86_400 ? null : TimeSpan.FromSeconds(Math.Max(seconds, 0));
            return Parse(("X-RateLimit-Reset", date)) == expected;
        }, iter: 1000);

    [Fact]
    public void Garbage_never_throws_and_a_wait_is_between_zero_and_a_day() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789.smhdeconiutr-+,: ()JunGMT"], 0, 30])
            .Sample(value => Parse(("Retry-After", value), ("RateLimit", value), ("RateLimit-Reset", value)) is not { } wait
                || (wait >= TimeSpan.Zero && wait <= TimeSpan.FromDays(1)), iter: 5000);
}
