using System.Diagnostics.CodeAnalysis;

namespace FuncStash.Retries;

/// <summary>The wait before a retry as the publisher wrote it in <c>Upstash-Retry-Delay</c> (protocol#retry-delay).</summary>
/// <remarks>
/// Decimal numbers, the variable <c>retried</c>, <c>+ - * / ( )</c>, and the functions <c>pow exp sqrt abs floor ceil round min max</c>;
/// at most 1,000 characters and 64 levels of nesting.
/// </remarks>
public sealed class RetryDelayExpression
{
    private readonly Expression _expression;

    private RetryDelayExpression(string text, Expression expression)
    {
        Text = text;
        _expression = expression;
    }

    /// <summary>The expression verbatim.</summary>
    public string Text { get; }

    /// <summary>Reads an expression; <paramref name="error"/> says what is wrong at which character, empty on success.</summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out RetryDelayExpression? expression, out string error)
    {
        try
        {
            expression = new(text, ExpressionParser.Parse(text));
            error = "";
            return true;
        }
        catch (ExpressionException refused)
        {
            expression = null;
            error = $"Upstash-Retry-Delay: {refused.Message}";
            return false;
        }
    }

    /// <summary>The wait: the expression's value in milliseconds, at most <see cref="Backoff.Max"/>, zero for a negative one or NaN.</summary>
    /// <param name="retried">Retries done so far: 0 before the first retry.</param>
    public TimeSpan Delay(int retried)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(retried);
        var milliseconds = _expression.Evaluate(retried);
        return milliseconds > 0
            ? TimeSpan.FromMilliseconds(Math.Min(milliseconds, Backoff.Max.TotalMilliseconds))
            : TimeSpan.Zero;
    }
}
