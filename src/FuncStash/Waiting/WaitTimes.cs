using System.Globalization;
using FuncStash.Settings;

namespace FuncStash.Waiting;

/// <summary>When what waits: the times of buckets, all in unix milliseconds.</summary>
internal static class WaitTimes
{
    public const long MinuteMs = 60_000;

    /// <summary>How long before its minute a bucket is woken: as long as an alarm may be late, and the sending of a full bucket take.</summary>
    public const long LeadMs = MinuteMs;

    /// <summary>How far ahead alarms are set. Later minutes are left to upkeep, so that no alarm waits for a year.</summary>
    public const long HorizonMs = 15 * MinuteMs;

    // What a bucket that is still written to must have left before it is woken.
    private const long MarginMs = 15_000;

    private const string Format = "yyyyMMddHHmm";

    /// <summary>The minute whose bucket a delivery waits in; null for one that is due too soon, and waits in the work queue.</summary>
    /// <param name="dueAt">When it is due.</param>
    /// <param name="now">Now.</param>
    public static long? MinuteOf(long dueAt, long now)
    {
        var minute = dueAt - (dueAt % MinuteMs);
        return now + LeadMs + MarginMs < minute ? minute : null;
    }

    /// <summary>Whether a row that has just been written to a bucket was there before anybody began to wake it, by any clock.</summary>
    public static bool IsAhead(long minute, long now) => now + LeadMs + Clocks.SkewMs < minute;

    /// <summary>When the alarm of a minute rings.</summary>
    public static long AlarmOf(long minute) => minute - LeadMs;

    /// <summary>A minute as text that sorts by time and that people can read: <c>yyyyMMddHHmm</c>, UTC.</summary>
    public static string TextOf(long minute) =>
        DateTimeOffset.FromUnixTimeMilliseconds(minute).ToString(Format, CultureInfo.InvariantCulture);

    public static long OfText(string text) => DateTimeOffset.ParseExact(
        text, Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds();
}
