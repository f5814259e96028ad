using System.Globalization;
using FuncStash.Wire;

namespace FuncStash.Retries;

/// <summary>The wait that a failed response asks for in its headers (contract §6.4).</summary>
public static class RetryAfter
{
    private static readonly string[] Headers =
        ["Retry-After", "X-RateLimit-Reset", "X-RateLimit-Reset-Requests", "X-RateLimit-Reset-Tokens"];

    // HTTP dates of RFC 9110 §5.6.7 without their weekday, which senders get wrong and nobody needs.
    private static readonly string[] DateFormats =
        ["d MMM yyyy H:m:s 'GMT'", "d MMM yyyy H:m:s 'UTC'", "d-MMM-yy H:m:s 'GMT'", "MMM d H:m:s yyyy"];

    /// <summary>The wait of the first header, in the contract's order, that states a usable one.</summary>
    /// <param name="responseHeader">Gives a response header's value by name, null where there is none.</param>
    /// <param name="now">Dates are counted from here.</param>
    /// <returns>
    /// Zero to a day: seconds (<c>1.5</c>), a Go duration (<c>6m5s</c>) or the time until an HTTP date; zero for what is past.
    /// Null when no header states a wait, or only ones that are unreadable or longer than a day, such as Unix times.
    /// </returns>
    public static TimeSpan? Parse(Func<string, string?> responseHeader, DateTimeOffset now)
    {
        foreach (var name in Headers)
        {
            if (responseHeader(name)?.Trim() is { Length: > 0 } value && Wait(value, now) is { } wait && wait <= Backoff.Max)
                return wait;
        }

        return null;
    }

    private static TimeSpan? Wait(string value, DateTimeOffset now)
    {
        var signed = value[0] is '-' or '+';
        if (DurationText.TryParse(signed ? value[1..] : value, out var duration))
            return value[0] == '-' ? TimeSpan.Zero : duration;
        if (!TryParseDate(value, out var date))
            return null;
        return date > now ? date - now : TimeSpan.Zero;
    }

    private static bool TryParseDate(string value, out DateTimeOffset date)
    {
        // "Sun, 06 Nov 1994 …" and "Sunday, 06-Nov-94 …", or "Sun Nov  6 … 1994".
        var comma = value.IndexOf(',', StringComparison.Ordinal);
        var weekday = comma >= 0 ? comma + 1 : value.Length > 3 && value[3] == ' ' ? 4 : 0;
        return DateTimeOffset.TryParseExact(
            value.AsSpan(weekday), DateFormats, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out date);
    }
}
