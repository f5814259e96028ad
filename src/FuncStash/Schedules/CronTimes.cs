using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Cronos;

namespace FuncStash.Schedules;

/// <summary>The times a cron expression stands for (contract §12.1): five fields, read in one time zone.</summary>
/// <remarks>
/// <para>
/// Daylight saving: a time the clock skips fires once, at the first moment after the gap; a time the clock shows twice
/// fires the first time only, unless minute or hour is a <c>*</c>, a range or a step, which follow elapsed time and
/// fire both times.
/// </para>
/// <para>
/// As in crontab(5), when both day fields are restricted a day needs to match only one of them; Cronos wants both, so
/// such an expression is two.
/// </para>
/// </remarks>
public sealed partial class CronTimes
{
    private readonly CronExpression[] _expressions;
    private readonly TimeZoneInfo _zone;

    private CronTimes(CronExpression[] expressions, TimeZoneInfo zone) => (_expressions, _zone) = (expressions, zone);

    /// <summary>Reads <c>[CRON_TZ=zone ]minute hour day month weekday</c> or <c>[CRON_TZ=zone ]@daily</c> and its like.</summary>
    /// <param name="text">The expression; UTC where it names no zone.</param>
    /// <param name="value">The times.</param>
    /// <param name="error">What is wrong with it; empty on success.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out CronTimes? value, out string error)
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
            value = new CronTimes(Parse(parts.Groups["cron"].Value), zone);
        }
        catch (Exception refusal) when (refusal is CronFormatException or MissingSeedException)
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

    /// <summary>The first time after <paramref name="ms"/>, both unix milliseconds; null when there is none before the year 2500.</summary>
    public long? NextAfter(long ms)
    {
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

    private static CronExpression[] Parse(string cron)
    {
        if (cron.StartsWith('@'))
        {
            // Times of a schedule are whole minutes.
            return cron == "@every_second"
                ? throw new CronFormatException("@every_second is finer than a minute")
                : [CronExpression.Parse(cron)];
        }
        var fields = cron.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
            throw new CronFormatException($"it has {fields.Length} fields, not 5");
        var whole = CronExpression.Parse(cron);
        if (fields[2] is "*" or "?" || fields[4] is "*" or "?")
            return [whole];
        return
        [
            CronExpression.Parse($"{fields[0]} {fields[1]} {fields[2]} {fields[3]} *"),
            CronExpression.Parse($"{fields[0]} {fields[1]} * {fields[3]} {fields[4]}"),
        ];
    }

    // The name becomes part of a file's path.
    private static bool TryFindZone(string name, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        return ZoneName().IsMatch(name) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out zone);
    }

    [GeneratedRegex(@"^((CRON_)?TZ=(?<zone>\S*)\s*)?(?<cron>.*)$", RegexOptions.Singleline)]
    private static partial Regex Prefixed();

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")]
    private static partial Regex ZoneName();
}
