using System.Globalization;
using FuncStash.Wire;

namespace FuncStash.Console.Parts;

/// <summary>Times, sizes and numbers as people read them.</summary>
public static class Text
{
    private static readonly CultureInfo s_culture = CultureInfo.InvariantCulture;

    public static string Number(long number) => number.ToString("N0", s_culture);

    /// <summary>A number as a field has it; empty where there is none.</summary>
    public static string Plain(long? number) => number?.ToString(s_culture) ?? "";

    /// <summary>A unix time in milliseconds as ISO 8601, in UTC.</summary>
    public static string Iso(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", s_culture);

    /// <summary>The same for people.</summary>
    public static string Utc(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms).ToString("yyyy-MM-dd HH:mm:ss.fff 'UTC'", s_culture);

    /// <summary>The same in a time zone, with how far that is from UTC.</summary>
    public static string In(TimeZoneInfo zone, long ms) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(ms), zone).ToString("ddd yyyy-MM-dd HH:mm zzz", s_culture);

    /// <summary>How far a time is from now, such as <c>3 min ago</c> or <c>in 2 h</c>.</summary>
    public static string Relative(long ms, long now)
    {
        var away = Math.Abs(ms - now);
        return away < 1_000 ? "now" : ms > now ? "in " + Rough(away) : Rough(away) + " ago";
    }

    /// <summary>A duration in milliseconds in its largest unit.</summary>
    public static string Rough(long ms) => ms switch
    {
        < 60_000 => $"{ms / 1000} s",
        < 3_600_000 => $"{ms / 60_000} min",
        < 2 * 86_400_000L => $"{ms / 3_600_000} h",
        _ => $"{ms / 86_400_000} days",
    };

    /// <summary>A duration in milliseconds in its two largest units, such as <c>2 min 28 s</c>.</summary>
    public static string Duration(long ms) => ms switch
    {
        < 1_000 => $"{ms} ms",
        < 10_000 => string.Create(s_culture, $"{ms / 1000.0:0.0} s"),
        < 60_000 => $"{ms / 1000} s",
        < 3_600_000 => Two(ms / 60_000, "min", ms / 1000 % 60, "s"),
        < 86_400_000 => Two(ms / 3_600_000, "h", ms / 60_000 % 60, "min"),
        _ => Two(ms / 86_400_000, ms < 2 * 86_400_000L ? "day" : "days", ms / 3_600_000 % 24, "h"),
    };

    /// <summary>A URL, or what an error says, as far as a row of a list has room for it.</summary>
    public static string InRow(string text) => ShortText.Of(text, 240);

    public static string Bytes(long bytes) => bytes switch
    {
        < 1024 => bytes == 1 ? "1 byte" : $"{bytes} bytes",
        < 1024 * 1024 => string.Create(s_culture, $"{bytes / 1024.0:0.#} KiB"),
        _ => string.Create(s_culture, $"{bytes / (1024.0 * 1024):0.##} MiB"),
    };

    private static string Two(long large, string unit, long small, string part) =>
        small == 0 ? $"{large} {unit}" : $"{large} {unit} {small} {part}";
}
