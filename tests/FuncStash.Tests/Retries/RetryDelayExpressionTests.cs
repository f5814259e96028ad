using FuncStash.Retries;

namespace FuncStash.Tests.Retries;

public sealed class RetryDelayExpressionTests
{
    [Theory]
    [InlineData("1000", 0, 1000)]
    [InlineData("1000", 7, 1000)]
    [InlineData("15000", 0, 15000)]
    [InlineData("1000 * (1 + retried)", 0, 1000)]
    [InlineData("1000 * (1 + retried)", 2, 3000)]
    [InlineData("pow(2, retried) * 1000", 0, 1000)]
    [InlineData("pow(2, retried) * 1000", 3, 8000)]
    [InlineData("max(1000, pow(2, retried) * 100)", 1, 1000)]
    [InlineData("max(1000, pow(2, retried) * 100)", 5, 3200)]
    [InlineData("7000 * retried", 0, 0)]
    [InlineData("7000 * retried", 2, 14000)]
    [InlineData("pow(retried, 2) * 1000", 3, 9000)]
    [InlineData("exp(retried)", 0, 1)]
    [InlineData("sqrt(16)", 0, 4)]
    [InlineData("abs(-5)", 0, 5)]
    [InlineData("floor(2.9)", 0, 2)]
    [InlineData("ceil(2.1)", 0, 3)]
    [InlineData("round(2.5)", 0, 3)]
    [InlineData("min(3)", 0, 3)]
    [InlineData("min(3, 2, 4)", 0, 2)]
    [InlineData("max(3, 2, 4)", 0, 4)]
    [InlineData("10 - 4 - 3", 0, 3)]
    [InlineData("100 / 5 / 2", 0, 10)]
    [InlineData("2 + 3 * 4", 0, 14)]
    [InlineData("-2 * -3", 0, 6)]
    [InlineData("10 - -5", 0, 15)]
    [InlineData("--5", 0, 5)]
    [InlineData("+5", 0, 5)]
    [InlineData("1.5e3", 0, 1500)]
    [InlineData("15E-1 * 2", 0, 3)]
    [InlineData("2e+2", 0, 200)]
    [InlineData(".5 * 4", 0, 2)]
    [InlineData("\t1000*(1+retried) ", 1, 2000)]
    public void Gives_milliseconds_and_keeps_its_text(string text, int retried, double milliseconds)
    {
        Assert.True(RetryDelayExpression.TryParse(text, out var expression, out var error), error);
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), expression.Delay(retried));
        Assert.Equal(text, expression.Text);
        Assert.Empty(error);
    }

    [Theory]
    [InlineData("-1000", 0)]
    [InlineData("0 / 0", 0)]
    [InlineData("sqrt(-1)", 0)]
    [InlineData("-1 / 0", 0)]
    [InlineData("max(0 / 0, 5)", 0)]
    [InlineData("1 / 0", 86_400)]
    [InlineData("1e999", 86_400)]
    [InlineData("exp(1000)", 86_400)]
    [InlineData("86400001", 86_400)]
    [InlineData("86400000", 86_400)]
    public void The_wait_is_between_zero_and_a_day(string text, int seconds)
    {
        Assert.True(RetryDelayExpression.TryParse(text, out var expression, out var error), error);
        Assert.Equal(TimeSpan.FromSeconds(seconds), expression.Delay(0));
    }

    [Theory]
    [InlineData("", "unexpected the end at character 1")]
    [InlineData("  ", "unexpected the end at character 3")]
    [InlineData("1 +", "unexpected the end at character 4")]
    [InlineData("1 2", "unexpected '2' at character 3")]
    [InlineData("(1", "expected ')' but found the end at character 3")]
    [InlineData("1)", "unexpected ')' at character 2")]
    [InlineData("()", "unexpected ')' at character 2")]
    [InlineData("1 * * 2", "unexpected '*' at character 5")]
    [InlineData("2 ^ 3", "unexpected '^' at character 3")]
    [InlineData("2 % 3", "unexpected '%' at character 3")]
    [InlineData("1,5", "unexpected ',' at character 2")]
    [InlineData("5.", "unexpected '.' at character 2")]
    [InlineData("1.2.3", "unexpected '.3' at character 4")]
    [InlineData("2e", "unexpected 'e' at character 2")]
    [InlineData("2exp(1)", "unexpected 'exp' at character 2")]
    [InlineData("1000ms", "unexpected 'ms' at character 5")]
    [InlineData("retries * 2", "unknown name 'retries' at character 1")]
    [InlineData("2 * Retried", "unknown name 'Retried' at character 5")]
    [InlineData("log(2)", "unknown name 'log' at character 1")]
    [InlineData("pow", "expected '(' but found the end at character 4")]
    [InlineData("pow 2", "expected '(' but found '2' at character 5")]
    [InlineData("pow(2)", "pow takes 2 arguments, not 1 at character 1")]
    [InlineData("1 + exp(1, 2)", "exp takes 1 argument, not 2 at character 5")]
    [InlineData("min()", "unexpected ')' at character 5")]
    [InlineData("max(1,)", "unexpected ')' at character 7")]
    [InlineData("retried(1)", "unexpected '(' at character 8")]
    [InlineData("1\n", "unexpected '\n' at character 2")]
    [InlineData("\u0663", "unexpected '\u0663' at character 1")]
    [InlineData("1 \U0001F600", "unexpected '\U0001F600' at character 3")]
    public void An_error_names_the_place(string text, string expected)
    {
        Assert.False(RetryDelayExpression.TryParse(text, out var expression, out var error));
        Assert.Null(expression);
        Assert.Equal("Upstash-Retry-Delay: " + expected, error);
    }

    [Fact]
    public void Length_is_limited()
    {
        Assert.True(RetryDelayExpression.TryParse(new string('1', 1000), out _, out _));
        Assert.False(RetryDelayExpression.TryParse(new string('1', 1001), out _, out var error));
        Assert.Equal("Upstash-Retry-Delay: over the limit of 1000 characters at character 1001", error);
    }

    [Theory]
    [InlineData("(", ")", "1")]
    [InlineData("abs(", ")", "1")]
    [InlineData("-", "", "1")]
    [InlineData("1+(", ")", "1")]
    public void Nesting_is_limited(string open, string close, string core)
    {
        string Nested(int levels) =>
            string.Concat(Enumerable.Repeat(open, levels)) + core + string.Concat(Enumerable.Repeat(close, levels));

        Assert.True(RetryDelayExpression.TryParse(Nested(64), out _, out _));
        Assert.False(RetryDelayExpression.TryParse(Nested(65), out _, out var error));
        Assert.StartsWith("Upstash-Retry-Delay: nested deeper than 64 levels at character ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Breadth_is_not_nesting()
    {
        var text = string.Concat(Enumerable.Repeat("1+", 499)) + "1";
        Assert.True(RetryDelayExpression.TryParse(text, out var expression, out var error), error);
        Assert.Equal(TimeSpan.FromMilliseconds(500), expression.Delay(0));
    }

    [Fact]
    public void Retried_is_never_negative()
    {
        Assert.True(RetryDelayExpression.TryParse("retried", out var expression, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => expression.Delay(-1));
    }
}
