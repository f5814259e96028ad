using System.Globalization;
using FuncStash.Messages;
using FuncStash.Retries;
using FuncStash.Wire;

namespace FuncStash.Delivery;

/// <summary>What follows from an attempt's outcome.</summary>
public abstract record Verdict
{
    private Verdict()
    {
    }

    public sealed record Delivered : Verdict;

    /// <param name="At">When to try again, in unix milliseconds.</param>
    /// <param name="Error">Why the attempt failed.</param>
    public sealed record Retry(long At, string Error) : Verdict;

    /// <param name="Error">Why the last attempt failed.</param>
    public sealed record Failed(string Error) : Verdict;

    /// <summary>The one decision after an attempt (protocol#attempts, protocol#retries).</summary>
    /// <param name="message">The message.</param>
    /// <param name="retried">How many retries had been started, this attempt included.</param>
    /// <param name="outcome">What came back.</param>
    /// <param name="now">When it came back.</param>
    /// <param name="random">From 0 to 1: spreads the default waits of messages that failed together.</param>
    public static Verdict Of(Message message, int retried, AttemptOutcome outcome, DateTimeOffset now, double random)
    {
        if (outcome is AttemptOutcome.Response { IsSuccess: true })
            return new Delivered();
        var error = ReasonOf(message, outcome);
        if (retried >= message.MaxRetries || IsNonRetryable(outcome))
            return new Failed(error);
        return new Retry(now.ToUnixTimeMilliseconds() + DurationText.Milliseconds(Wait(message, retried, outcome, now, random)), error);
    }

    private static string ReasonOf(Message message, AttemptOutcome outcome) =>
        outcome is AttemptOutcome.NoResponse none ? none.Error
        : (outcome is AttemptOutcome.Response response ? RedirectText.Of(message.Url, response) : null)
            ?? string.Create(CultureInfo.InvariantCulture, $"destination answered with status {outcome.Status}");

    // The response's wish is the later and more specific one, so it beats the publisher's. Both are kept to exactly.
    private static TimeSpan Wait(Message message, int retried, AttemptOutcome outcome, DateTimeOffset now, double random)
    {
        if (outcome is AttemptOutcome.Response response && RetryAfter.Parse(name => response.Header[name], now) is { } wished)
            return wished;
        if (message.RetryDelay is { } text && RetryDelayExpression.TryParse(text, out var expression, out _))
            return expression!.Delay(retried);
        return Backoff.Delay(retried + 1, random);
    }

    private static bool IsNonRetryable(AttemptOutcome outcome) =>
        outcome is AttemptOutcome.Response { StatusCode: 489 } response
        && string.Equals(response.Header["Upstash-NonRetryable-Error"]?[0], "true", StringComparison.OrdinalIgnoreCase);
}
