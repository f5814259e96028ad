using System.Globalization;

namespace FuncStash.Messages;

/// <summary>
/// The place of an event in the log, as text that sorts newest first: 13 digits of inverted unix milliseconds, 5 of the
/// inverted event number, the message's id.
/// </summary>
public static class LogPosition
{
    private const long MaxTime = 9_999_999_999_999;
    private const int MaxNumber = 99_999;

    public static string Of(long time, int number, string message) =>
        string.Create(CultureInfo.InvariantCulture, $"{MaxTime - time:D13}|{MaxNumber - Math.Min(number, MaxNumber):D5}|{message}");

    /// <summary>The position before all events of <paramref name="time"/> and earlier.</summary>
    public static string At(long time) =>
        string.Create(CultureInfo.InvariantCulture, $"{MaxTime - Math.Clamp(time, 0, MaxTime):D13}");

    /// <summary>Whether a text is the position of an event.</summary>
    public static bool IsValid(string text) =>
        text.Split('|') is [{ Length: 13 } time, { Length: 5 } number, var id]
        && time.All(char.IsAsciiDigit) && number.All(char.IsAsciiDigit) && MessageId.TryParse(id, out _);

    public static int NumberOf(ReadOnlySpan<char> inverted) =>
        MaxNumber - int.Parse(inverted, CultureInfo.InvariantCulture);

    public static long TimeOf(string position) =>
        MaxTime - long.Parse(position.AsSpan(0, 13), CultureInfo.InvariantCulture);
}
