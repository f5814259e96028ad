using CsCheck;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli.Tests.Verbs;

public sealed class DurationTests
{
    [Theory]
    [InlineData("90", 90)]
    [InlineData("90s", 90)]
    [InlineData("1.5h", 5400)]
    [InlineData("1d2h3m4s", 93784)]
    [InlineData("500ms", 0.5)]
    public void A_duration_is_read(string text, double seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), Durations.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("1x")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("1h30")]
    [InlineData("1.2.3s")]
    [InlineData("99999999999d")]
    [InlineData("2000000000d")]
    public void What_is_none_is_refused(string text) => Assert.Throws<UsageException>(() => Durations.Parse(text));

    [Fact]
    public void What_was_written_is_read_again() =>
        Gen.Long[1, (long)TimeSpan.FromDays(400).TotalMilliseconds].Sample(milliseconds =>
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            Assert.Equal(duration, Durations.Parse(Durations.Text(duration)!));
        });
}
