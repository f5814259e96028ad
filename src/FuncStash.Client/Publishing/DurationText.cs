using System.Globalization;

namespace FuncStash.Client;

/// <summary>Durations and times as the service reads them: <c>90s</c>, unix seconds.</summary>
internal static class DurationText
{
    /// <summary>Seconds, with a fraction where there is one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static string? Seconds(TimeSpan? duration, string name) =>
        Checked(duration, name) is { } d ? string.Create(CultureInfo.InvariantCulture, $"{d.Ticks / (decimal)TimeSpan.TicksPerSecond:0.###}s") : null;

    /// <summary>Seconds, a begun one counted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static string? WholeSeconds(TimeSpan? duration, string name) =>
        Ceiling(Checked(duration, name)) is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"{seconds}s") : null;

    /// <summary>The number of seconds, a begun one counted.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static string? SecondCount(TimeSpan? duration, string name) =>
        Ceiling(Checked(duration, name))?.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time in unix seconds, not before it.</summary>
    public static string? UnixSeconds(DateTimeOffset? time) =>
        Ceiling(time - DateTimeOffset.UnixEpoch)?.ToString(CultureInfo.InvariantCulture);

    private static long? Ceiling(TimeSpan? duration) =>
        duration is { } d ? (long)Math.Ceiling(d.Ticks / (decimal)TimeSpan.TicksPerSecond) : null;

    private static TimeSpan? Checked(TimeSpan? duration, string name) =>
        duration < TimeSpan.Zero ? throw new ArgumentOutOfRangeException(name, duration, "A duration is not negative.") : duration;
}
