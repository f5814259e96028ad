using System.Buffers;
using System.Globalization;
using System.Text;

namespace FuncStash.Cli.Verbs;

/// <summary>Durations as people and the protocol write them: <c>90s</c>, <c>1d2h</c>, or a number of seconds (protocol#durations).</summary>
internal static class Durations
{
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789.");

    private static readonly (string Unit, TimeSpan Length)[] s_units =
    [
        ("d", TimeSpan.FromDays(1)), ("h", TimeSpan.FromHours(1)), ("m", TimeSpan.FromMinutes(1)), ("s", TimeSpan.FromSeconds(1)), ("ms", TimeSpan.FromMilliseconds(1)),
    ];

    /// <exception cref="UsageException">It is none, or longer than can be.</exception>
    public static TimeSpan Parse(string text)
    {
        var total = 0m;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty)
            throw Wrong(text);
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(s_digits);
            var number = digits < 0 ? rest : rest[..digits];
            var letters = digits < 0 ? [] : rest[digits..];
            var end = letters.IndexOfAny(s_digits);
            var unit = end < 0 ? letters : letters[..end];
            if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count) || count > int.MaxValue)
                throw Wrong(text);
            var name = unit.IsEmpty && number.Length == text.Trim().Length ? "s" : unit.ToString();
            var length = s_units.FirstOrDefault(u => u.Unit == name).Length;
            if (length == default)
                throw Wrong(text);
            total += count * length.Ticks;
            rest = end < 0 ? [] : letters[end..];
        }

        return total <= long.MaxValue ? TimeSpan.FromTicks((long)total) : throw Wrong(text);
    }

    /// <summary>The same duration always in the same words, such as <c>1m30s</c>; null for none or no time at all.</summary>
    public static string? Text(TimeSpan? duration)
    {
        if (duration is not { } rest || rest <= TimeSpan.Zero)
            return null;
        var text = new StringBuilder();
        foreach (var (unit, length) in s_units)
        {
            if (rest.Ticks / length.Ticks is > 0 and var count)
                text.Append(CultureInfo.InvariantCulture, $"{count}{unit}");
            rest = TimeSpan.FromTicks(rest.Ticks % length.Ticks);
        }

        return text.ToString();
    }

    private static UsageException Wrong(string text) => new($"'{text}' is no duration, such as 90s, 5m or 1d2h");
}
