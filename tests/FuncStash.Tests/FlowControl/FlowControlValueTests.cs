using CsCheck;
using FuncStash.Wire;

namespace FuncStash.Tests.FlowControl;

public sealed class FlowControlValueTests
{
    private const string Malformed =
        "Upstash-Flow-Control-Value should be either rate=X or parallelism=Y, or both as comma-separated values";

    [Theory]
    [InlineData("parallelism=3, rate=4, period=2s", 4, 3, 2)]
    [InlineData("rate=10", 10, null, 1)]
    [InlineData("parallelism=5", null, 5, 1)]
    [InlineData("parallelism=5,period=1m", null, 5, 60)]
    [InlineData("period=1h30m3s,rate=1", 1, null, 5403)]
    [InlineData("rate=1,period=1d", 1, null, 86400)]
    [InlineData("rate=1,period=30", 1, null, 30)]
    [InlineData("rate=1,period=1w", 1, null, 604800)]
    [InlineData(" Rate = 2 ,  PARALLELISM=2147483647 ", 2, 2147483647, 1)]
    public void Reads_the_limits(string text, int? rate, int? parallelism, int period)
    {
        Assert.True(FlowControlValue.TryParse(text, out var value, out var error), error);
        Assert.Equal(new FlowControlValue(rate, parallelism, period), value);
        Assert.Empty(error);
    }

    [Theory]
    [InlineData("", Malformed)]
    [InlineData("period=1s", Malformed)]
    [InlineData("rate", Malformed)]
    [InlineData("5", Malformed)]
    [InlineData("rate=1,", Malformed)]
    [InlineData("rate=1 parallelism=2", Malformed)]
    [InlineData("rate=1,rate=2", Malformed)]
    [InlineData("rate=1,burst=2", Malformed)]
    [InlineData("rate=0", "Upstash-Flow-Control-Value: rate should be a whole number from 1 to 2147483647, not '0'")]
    [InlineData("rate=-1", "Upstash-Flow-Control-Value: rate should be a whole number from 1 to 2147483647, not '-1'")]
    [InlineData("rate=1.5", "Upstash-Flow-Control-Value: rate should be a whole number from 1 to 2147483647, not '1.5'")]
    [InlineData("rate=", "Upstash-Flow-Control-Value: rate should be a whole number from 1 to 2147483647, not ''")]
    [InlineData("rate=2147483648", "Upstash-Flow-Control-Value: rate should be a whole number from 1 to 2147483647, not '2147483648'")]
    [InlineData("rate=1,parallelism=x", "Upstash-Flow-Control-Value: parallelism should be a whole number from 1 to 2147483647, not 'x'")]
    [InlineData("rate=1,period=0s", "Upstash-Flow-Control-Value: period should be whole seconds, from 1s to 7d, not '0s'")]
    [InlineData("rate=1,period=1500ms", "Upstash-Flow-Control-Value: period should be whole seconds, from 1s to 7d, not '1500ms'")]
    [InlineData("rate=1,period=7d1s", "Upstash-Flow-Control-Value: period should be whole seconds, from 1s to 7d, not '7d1s'")]
    [InlineData("rate=1,period=often", "Upstash-Flow-Control-Value: period should be whole seconds, from 1s to 7d, not 'often'")]
    public void Refuses_what_sets_no_clear_limit(string text, string expected)
    {
        Assert.False(FlowControlValue.TryParse(text, out var value, out var error));
        Assert.Null(value);
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Any_order_and_spacing_gives_the_same_limits() =>
        (from rate in Gen.Int[1, int.MaxValue]
         from parallelism in Gen.Int[1, int.MaxValue]
         from period in Gen.Int[1, FlowControlValue.MaxPeriodSeconds]
         from parts in Gen.Shuffle(new[] { $"rate={rate}", $"parallelism={parallelism}", $"period={period}s" })
         from comma in Gen.OneOf(",", ", ", " , ")
         select (new FlowControlValue(rate, parallelism, period), string.Join(comma, parts)))
        .Sample((expected, text) => FlowControlValue.TryParse(text, out var value, out _) && value == expected, iter: 2000);

    [Fact]
    public void Garbage_never_throws_and_is_refused_with_a_reason() =>
        Gen.OneOf(
            Gen.String,
            Gen.OneOf("rate", "parallelism", "period", "=", ",", " ", "0", "12", "9999999999", "s", "d").Array[0, 12]
                .Select(string.Concat))
            .Sample(text => FlowControlValue.TryParse(text, out var value, out var error)
                ? value.PeriodSeconds is >= 1 and <= FlowControlValue.MaxPeriodSeconds && (value.Rate ?? 1) >= 1
                    && (value.Parallelism ?? 1) >= 1 && (value.Rate ?? value.Parallelism) is not null
                : error.Length > 0, iter: 5000);
}
