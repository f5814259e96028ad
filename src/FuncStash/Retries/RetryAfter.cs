using System.Globalization;
using System.Text.RegularExpressions;
using FuncStash.Wire;

namespace FuncStash.Retries;

/// <summary>The wait that a failed response asks for in its headers (protocol#retry-after).</summary>
public static partial class RetryAfter
{
    private static readonly string[] s_headers =
        ["Retry-After", "X-RateLimit-Reset", "X-RateLimit-Reset-Requests", "X-RateLimit-Reset-Tokens"];

    // A number from here on is no wait in seconds (31 years) but a Unix time (from 2001 on): in seconds, or in milliseconds.
    private const decimal FirstUnixTime = 1e9m, FirstUnixMilliseconds = 1e11m;

    private static readonly string[] s_weekdays = [.. CultureInfo.InvariantCulture.DateTimeFormat.DayNames];

    /// <summary>The wait of the first header, in the order of protocol#retry-after, that states a usable one.</summary>
    /// <param name="responseHeader">Gives a response header's values by name, null where there are none.</param>
    /// <param name="now">Dates are counted from here.</param>
    /// <returns>
    /// Zero to a day: seconds (<c>1.5</c>), a Go duration (<c>6m5s</c>), one in words (<c>5 seconds</c>), or the time until an HTTP or ISO 8601 date or a Unix
    /// time in seconds or milliseconds; zero for what is past. Of several values the longest, so that each is kept to. Null
    /// when no header states a wait, or only ones that are unreadable or longer than a day.
    /// </returns>
    public static TimeSpan? Parse(Func<string, IReadOnlyList<string>?> responseHeader, DateTimeOffset now)
    {
        foreach (var name in s_headers)
        {
            if (Longest(responseHeader(name) ?? [], now) is { } wait)
                return wait;
        }
        return RateLimitFields.Wait(responseHeader);
    }

    private static TimeSpan? Longest(IReadOnlyList<string> values, DateTimeOffset now)
    {
        TimeSpan? longest = null;
        foreach (var value in values)
        {
            foreach (var item in Items(value))
            {
                if (Wait(item, now) is { } wait && wait <= Backoff.Max && !(wait <= longest))
                    longest = wait;
            }
        }
        return longest;
    }

    // The members of a list (RFC 9110 §5.6.1): some proxies join the lines of a header. The comma of a date is none of its.
    private static IEnumerable<string> Items(string value)
    {
        string? weekday = null;
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
        {
            var item = weekday is null ? part : $"{weekday}, {part}";
            weekday = weekday is null && IsWeekday(part) ? part : null;
            if (weekday is null)
                // What follows a semicolon are parameters, which some senders add.
                yield return item.Split(';')[0].Trim('"', ' ');
        }
    }

    private static bool IsWeekday(string text) =>
        text.Length >= 3 && Array.Exists(s_weekdays, day => day.StartsWith(text.TrimStart('"'), StringComparison.OrdinalIgnoreCase));

    private static TimeSpan? Wait(string value, DateTimeOffset now)
    {
        if (decimal.TryParse(
            value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return WaitOf(number, now);
        var signed = value.Length > 0 && value[0] is '-' or '+';
        // A micro sign may be in there.
        if (DurationText.TryParse(WithUnits(HeaderValue.ToText(signed ? value[1..] : value)), out var duration))
            return value[0] == '-' ? TimeSpan.Zero : duration;
        return DateText.TryParse(value, out var date) ? Until(date, now) : null;
    }

    // "1 minute 30 seconds", "5 S" and "1m 30s" in the form of durations.
    private static string WithUnits(string text) =>
        Unit().Replace(text, unit => unit.Groups.Values.Skip(1).First(group => group.Success).Name);

    // An upper-case M alone could be anything.
    [GeneratedRegex(
        @"(?<=[0-9]) *(?:(?<ms>ms|msecs?|millis|milliseconds?)|(?<s>s|secs?|seconds?)|(?<m>(?-i:m)|mins?|minutes?)|(?<h>h|hrs?|hours?)|(?<d>d|days?))(?: +(?=[0-9])|(?=[0-9])|$)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Unit();

    private static TimeSpan? WaitOf(decimal number, DateTimeOffset now)
    {
        if (number < FirstUnixTime)
            return TimeSpan.FromSeconds((double)Math.Clamp(number, 0, FirstUnixTime));
        var milliseconds = number < FirstUnixMilliseconds ? number * 1000 : number;
        var wait = milliseconds - now.ToUnixTimeMilliseconds();
        // What lies so far from now, even in the past, was not meant as a time.
        return Math.Abs(wait) <= (decimal)Backoff.Max.TotalMilliseconds ? TimeSpan.FromMilliseconds((double)Math.Max(wait, 0)) : null;
    }

    private static TimeSpan Until(DateTimeOffset date, DateTimeOffset now) => date > now ? date - now : TimeSpan.Zero;
}
