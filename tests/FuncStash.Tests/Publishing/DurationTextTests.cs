using CsCheck;
using FuncStash.Wire;

namespace FuncStash.Tests.Publishing;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("50s", "00:00:50")]
    [InlineData("3m", "00:03:00")]
    [InlineData("10h", "10:00:00")]
    [InlineData("1d", "1.00:00:00")]
    [InlineData("10d", "10.00:00:00")]
    [InlineData("1d10h30m", "1.10:30:00")]
    [InlineData("1d1h30m", "1.01:30:00")]
    [InlineData("3d5h12m", "3.05:12:00")]
    [InlineData("1h30m3s", "01:30:03")]
    [InlineData("6m5s", "00:06:05")]
    [InlineData("2w", "14.00:00:00")]
    [InlineData("1.5s", "00:00:01.5")]
    [InlineData("0.5h", "00:30:00")]
    [InlineData("250ms", "00:00:00.25")]
    [InlineData("1m5ms", "00:01:00.005")]
    [InlineData("7us", "00:00:00.000007")]
    [InlineData("7\u00B5s", "00:00:00.000007")]
    [InlineData("7\u03BCs", "00:00:00.000007")]
    [InlineData("100ns", "00:00:00.0000001")]
    [InlineData("50ns50ns", "00:00:00.0000001")]
    // Less than a tick is one: it is not nothing, which is a setting of its own.
    [InlineData("99ns", "00:00:00.0000001")]
    [InlineData("1ns", "00:00:00.0000001")]
    [InlineData("0.001ns", "00:00:00.0000001")]
    [InlineData("0ns", "00:00:00")]
    [InlineData("30", "00:00:30")]
    [InlineData("1.25", "00:00:01.25")]
    [InlineData("0", "00:00:00")]
    [InlineData(" 20s ", "00:00:20")]
    public void Reads_the_forms_that_clients_send(string text, string expected)
    {
        Assert.True(DurationText.TryParse(text, out var value));
        Assert.Equal(TimeSpan.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("+5s")]
    [InlineData("-1")]
    [InlineData("5x")]
    [InlineData("5S")]
    [InlineData("1h30")]
    [InlineData("30 s")]
    [InlineData("1h 30m")]
    [InlineData("1.s")]
    [InlineData(".5s")]
    [InlineData("1.2.3s")]
    [InlineData("1,5s")]
    [InlineData("1e3s")]
    [InlineData("\u0663s")]
    [InlineData("99999999999999999999999999999999999999s")]
    [InlineData("99999999w")]
    [InlineData("8000000d8000000d")]
    public void Refuses_everything_else(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData("0s", 0)]
    [InlineData("1ns", 1)]
    [InlineData("999us", 1)]
    [InlineData("1ms", 1)]
    [InlineData("1.0001ms", 2)]
    [InlineData("1s", 1000)]
    public void A_part_of_a_millisecond_counts_as_one(string text, long milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out var value));
        Assert.Equal(milliseconds, DurationText.Milliseconds(value));
    }

    [Fact]
    public void Any_duration_written_in_parts_is_read_back() =>
        (from ticks in Gen.Long[0, TimeSpan.FromDays(4000).Ticks]
         from weeks in Gen.Bool
         select (TimeSpan.FromTicks(ticks), weeks))
        .Sample((value, weeks) =>
        {
            var days = weeks ? $"{value.Days / 7}w{value.Days % 7}d" : $"{value.Days}d";
            var text = $"{days}{value.Hours}h{value.Minutes}m{value.Seconds}s"
                + $"{value.Milliseconds}ms{value.Microseconds}us{value.Nanoseconds}ns";
            return DurationText.TryParse(text, out var read) && read == value;
        }, iter: 2000);

    [Fact]
    public void A_fraction_of_seconds_means_the_same_with_and_without_its_unit() =>
        Gen.Long[0, TimeSpan.FromDays(400).Ticks].Sample(ticks =>
        {
            var text = (ticks / (decimal)TimeSpan.TicksPerSecond)
                .ToString("0.0######", System.Globalization.CultureInfo.InvariantCulture);
            return DurationText.TryParse(text, out var bare) && DurationText.TryParse(text + "s", out var unit)
                && bare.Ticks == ticks && unit == bare;
        }, iter: 2000);

    [Fact]
    public void Garbage_is_refused_or_read_but_never_throws_and_is_never_negative() =>
        Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789.nusmhdw\u00B5-+ "], 0, 60])
            .Sample(text => !DurationText.TryParse(text, out var value) || value >= TimeSpan.Zero, iter: 5000);
}
