using System.Globalization;

namespace FuncStash.Cli.Verbs;

/// <summary>Times on the command line.</summary>
internal static class Times
{
    /// <summary>A time: <c>2026-01-31T12:00Z</c> (this machine's zone without one), or a duration ago, such as <c>2h</c>.</summary>
    /// <exception cref="UsageException">It is neither.</exception>
    public static DateTimeOffset? Before(string? text, TimeProvider time) => Parse(text, time, -1);

    /// <summary>A time, or a duration from now.</summary>
    /// <exception cref="UsageException">It is neither.</exception>
    public static DateTimeOffset? After(string? text, TimeProvider time) => Parse(text, time, 1);

    /// <summary>A time for people, to the millisecond.</summary>
    public static string? Text(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset? Parse(string? text, TimeProvider time, int direction)
    {
        if (text is null)
            return null;
        if (text.Length > 4 && text[4] == '-' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var at))
            return at;
        try
        {
            return time.GetUtcNow() + (direction * Durations.Parse(text));
        }
        catch (Exception error) when (error is UsageException or ArgumentOutOfRangeException)
        {
            throw new UsageException($"'{text}' is no time, such as 2026-01-31T12:00Z, and no duration, such as 2h");
        }
    }
}
