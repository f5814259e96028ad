using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Cronos;
using FuncStash.Wire;

namespace FuncStash.Schedules;

/// <summary>The times a cron expression stands for (protocol#cron): five fields, read in one time zone.</summary>
/// <remarks>
/// <para>
/// Daylight saving: a time the clock skips fires once, at the first moment after the gap; a time the clock shows twice
/// fires the first time only, unless minute or hour is a <c>*</c>, a range or a step of several values, which follow elapsed
/// time and fire both times. <c>@every</c> follows elapsed time only.
/// </para>
/// <para>
/// A field means what it means to robfig/cron v3, the parser of QStash (<see cref="CronField"/>); one that it refuses and
/// Cronos has, such as <c>L</c>, <c>15W</c>, <c>5#3</c> or <c>22-2</c>, is left to Cronos. When neither day field is a
/// <c>*</c> a day needs to match only one of them; Cronos wants both, so such an expression is two.
/// </para>
/// </remarks>
public sealed partial class CronTimes
{
    private readonly CronExpression[] _expressions;
    private readonly TimeZoneInfo _zone;
    private readonly Interval? _interval;

    private CronTimes(CronExpression[] expressions, TimeZoneInfo zone) => (_expressions, _zone) = (expressions, zone);

    private CronTimes(Interval interval) => (_expressions, _zone, _interval) = ([], TimeZoneInfo.Utc, interval);

    /// <summary>
    /// Reads <c>[CRON_TZ=zone ]minute hour day month weekday</c>, <c>[CRON_TZ=zone ]@daily</c> and its like, or
    /// <c>@every 1h30m</c>.
    /// </summary>
    /// <param name="text">The expression; UTC where it names no zone.</param>
    /// <param name="value">The times.</param>
    /// <param name="error">What is wrong with it; empty on success.</param>
    /// <param name="since">From when on <c>@every</c> counts, in unix milliseconds; the others do not depend on it.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out CronTimes? value, out string error, long since = 0)
    {
        value = null;
        error = "";
        var parts = Prefixed().Match(text.Trim());
        var zone = TimeZoneInfo.Utc;
        if (parts.Groups["zone"] is { Success: true } name && !TryFindZone(name.Value, out zone))
        {
            error = $"unknown time zone {name.Value}";
            return false;
        }
        try
        {
            value = Parse(parts.Groups["cron"].Value, zone, since);
        }
        catch (MissingSeedException)
        {
            error = "H is not supported, give a value";
            return false;
        }
        catch (CronFormatException refusal)
        {
            error = refusal.Message.TrimEnd('.');
            return false;
        }
        if (value.NextAfter(s_leapYear) is not null)
            return true;
        error = "no such day ever comes";
        value = null;
        return false;
    }

    /// <summary>The time zone that it is read in; UTC for <c>@every</c>.</summary>
    public TimeZoneInfo Zone => _zone;

    /// <summary>The next times after <paramref name="ms"/>, so many at most; all unix milliseconds.</summary>
    public IReadOnlyList<long> NextAfter(long ms, int count)
    {
        var times = new List<long>(count);
        while (times.Count < count && NextAfter(ms) is { } next)
            times.Add(ms = next);
        return times;
    }

    /// <summary>The first time after <paramref name="ms"/>, both unix milliseconds; null when there is none before the year 2500.</summary>
    public long? NextAfter(long ms)
    {
        if (_interval is not null)
            return _interval.NextAfter(ms);
        var from = DateTimeOffset.FromUnixTimeMilliseconds(ms);
        long? first = null;
        foreach (var expression in _expressions)
        {
            if (expression.GetNextOccurrence(from, _zone)?.ToUnixTimeMilliseconds() is { } next && !(next >= first))
                first = next;
        }
        return first;
    }

    /// <summary>The last time at or before <paramref name="ms"/>, both unix milliseconds.</summary>
    public long? LatestUntil(long ms)
    {
        if (_interval is not null)
            return _interval.LatestUntil(ms);
        var until = DateTimeOffset.FromUnixTimeMilliseconds(ms);
        long? last = null;
        foreach (var expression in _expressions)
        {
            if (expression.GetPreviousOccurrence(until, _zone, inclusive: true)?.ToUnixTimeMilliseconds() is { } previous
                && !(previous <= last))
                last = previous;
        }
        // Looking back, Cronos misses the time after a gap of the clock.
        while (last is { } at && NextAfter(at) is { } later && later <= ms)
            last = later;
        return last;
    }

    // A day that does not come in this year and the following centuries never does.
    private static readonly long s_leapYear = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    private static CronTimes Parse(string cron, TimeZoneInfo zone, long since)
    {
        const string Every = "@every ";
        if (cron.StartsWith(Every, StringComparison.OrdinalIgnoreCase))
            return new CronTimes(Interval.Parse(cron[Every.Length..], since));
        if (cron.StartsWith('@'))
        {
            // Times of a schedule are whole minutes.
            return cron.Equals("@every_second", StringComparison.OrdinalIgnoreCase)
                ? throw new CronFormatException("@every_second is finer than a minute")
                : new CronTimes([CronExpression.Parse(cron)], zone);
        }
        if (cron.Length == 0)
            throw new CronFormatException("empty spec string"); // the words of QStash
        var texts = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (texts.Length != 5)
            throw new CronFormatException($"it has {texts.Length} fields, not 5");
        var fields = texts.Zip(s_kinds, CronField.Read).ToArray();
        var minuteAndHour = $"{Text(0)} {Text(1)}";
        var (day, month, weekday) = (Text(2), Text(3), Text(4));
        var both = CronExpression.Parse($"{minuteAndHour} {day} {month} {weekday}");
        return fields[2] is { IsStar: true } || fields[4] is { IsStar: true }
            ? new CronTimes([both], zone)
            : new CronTimes(
                [
                    CronExpression.Parse($"{minuteAndHour} {day} {month} *"),
                    CronExpression.Parse($"{minuteAndHour} * {month} {weekday}"),
                ],
                zone);

        string Text(int i) => fields[i]?.Text ?? texts[i];
    }

    private static readonly CronField.Kind[] s_kinds =
        [CronField.Kind.Minute, CronField.Kind.Hour, CronField.Kind.Day, CronField.Kind.Month, CronField.Kind.Weekday];

    // The name becomes part of a file's path. None is UTC, and so is the clock of a service.
    private static bool TryFindZone(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = TimeZoneInfo.Utc;
        return name is "" or "Local" || (ZoneName().IsMatch(name) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone));
    }

    /// <summary>The times of <c>@every</c>: this long after one another, from the first whole minute on.</summary>
    private sealed class Interval(long start, long length)
    {
        private const long MinuteMs = 60_000, LongestMs = 10L * 366 * 24 * 60 * MinuteMs;

        public static Interval Parse(string text, long since)
        {
            if (!DurationText.TryParse(text, out var length) || char.IsAsciiDigit(text.TrimEnd()[^1]))
                throw new CronFormatException($"@every {text}: must be a duration such as 5m or 1h30m");
            var ms = length.TotalMilliseconds;
            return ms is >= MinuteMs and <= LongestMs && ms % MinuteMs == 0
                ? new Interval((since + MinuteMs - 1) / MinuteMs * MinuteMs, (long)ms)
                : throw new CronFormatException($"@every {text}: must be whole minutes, ten years at most");
        }

        public long NextAfter(long ms) => start + ((Math.Max(0, ms - start) / length) + 1) * length;

        public long? LatestUntil(long ms) => ms - start >= length ? start + ((ms - start) / length * length) : null;
    }

    [GeneratedRegex(@"^((CRON_)?TZ=(?<zone>\S*)\s*)?(?<cron>.*)$", RegexOptions.Singleline)]
    private static partial Regex Prefixed();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")]
    private static partial Regex ZoneName();
}
