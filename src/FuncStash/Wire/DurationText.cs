using System.Globalization;

namespace FuncStash.Wire;

/// <summary>Durations as text: numbers with units in a row, such as <c>1d10h30m</c> or <c>1.5s</c> (protocol#durations).</summary>
public static class DurationText
{
    /// <summary>
    /// Reads <c>(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+</c>, or a bare number as seconds; spaces around it are ignored.
    /// </summary>
    /// <returns>False for any other text, and for a duration longer than a <see cref="TimeSpan"/> holds.</returns>
    public static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty)
            return false;

        // Parts of a tick (100 ns) count until the end: 50ns50ns is one tick, and so is 1ns, which is not nothing.
        decimal ticks = 0;
        for (var first = true; !rest.IsEmpty; first = false)
        {
            if (!TryTakeNumber(ref rest, out var number))
                return false;
            var unit = rest.IsEmpty && first ? TimeSpan.TicksPerSecond : TakeUnit(ref rest);
            if (unit == 0 || number > TimeSpan.MaxValue.Ticks / unit)
                return false;
            ticks += number * unit;
            if (ticks > TimeSpan.MaxValue.Ticks)
                return false;
        }

        value = TimeSpan.FromTicks((long)Math.Ceiling(ticks));
        return true;
    }

    /// <summary>A duration in whole milliseconds: a part of one counts as one, so that nothing comes early and no limit becomes none.</summary>
    public static long Milliseconds(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMilliseconds);

    private static bool TryTakeNumber(ref ReadOnlySpan<char> rest, out decimal number)
    {
        number = 0;
        var length = Digits(rest);
        if (length == 0)
            return false;
        if (length < rest.Length && rest[length] == '.')
        {
            var fraction = Digits(rest[(length + 1)..]);
            if (fraction == 0)
                return false;
            length += 1 + fraction;
        }

        var taken = rest[..length];
        rest = rest[length..];
        return decimal.TryParse(taken, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number);
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }

    /// <summary>Takes the unit in front; its length in ticks, 0 when there is none that is known.</summary>
    private static decimal TakeUnit(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOfAnyInRange('0', '9');
        var unit = end < 0 ? rest : rest[..end];
        rest = rest[unit.Length..];
        return unit switch
        {
            "ns" => 1m / TimeSpan.NanosecondsPerTick,
            // Both micro signs, U+00B5 and U+03BC, are in use.
            "us" or "\u00B5s" or "\u03BCs" => TimeSpan.TicksPerMicrosecond,
            "ms" => TimeSpan.TicksPerMillisecond,
            "s" => TimeSpan.TicksPerSecond,
            "m" => TimeSpan.TicksPerMinute,
            "h" => TimeSpan.TicksPerHour,
            "d" => TimeSpan.TicksPerDay,
            "w" => 7 * TimeSpan.TicksPerDay,
            _ => 0,
        };
    }
}
