using System.Globalization;
using FuncStash.Messages;

namespace FuncStash.Admission;

/// <summary>Places in a wait list, as text that sorts.</summary>
/// <remarks>
/// A place is <c>TIME|MESSAGE</c>, the time that the message is due; where that is not behind everybody who waits, because
/// clocks differ or were set back, it is <c>TIME|~NUMBER|MESSAGE</c>, right behind the last one. So the order in which the
/// gate was come to is the order in it, whatever any clock says, and as a rule a message's place follows from the message.
/// </remarks>
internal static class LineOrder
{
    private const string Moved = "|~";
    private const int TimeLength = 13;

    /// <param name="dueAt">Unix milliseconds.</param>
    public static string ByTime(long dueAt, MessageId id) =>
        string.Create(CultureInfo.InvariantCulture, $"{dueAt:D13}|{id.Text}");

    /// <summary>The place right behind the last one.</summary>
    public static string Behind(string last, string message)
    {
        var number = 1L;
        if (IsMoved(last))
        {
            var rest = last.AsSpan(TimeLength + Moved.Length);
            number += long.Parse(rest[..rest.IndexOf('|')], CultureInfo.InvariantCulture);
        }
        return string.Create(CultureInfo.InvariantCulture, $"{last.AsSpan(0, TimeLength)}{Moved}{number:D10}|{message}");
    }

    /// <summary>True for a place that the message alone does not tell.</summary>
    public static bool IsMoved(string place) => place.AsSpan(TimeLength).StartsWith(Moved);

    /// <summary>When who stands there was due, in unix milliseconds; of one that was moved, when the one before it was.</summary>
    public static long TimeOf(string place) => long.Parse(place.AsSpan(0, TimeLength), CultureInfo.InvariantCulture);

    /// <summary>The message that stands there.</summary>
    public static string MessageOf(string place) => place[(place.LastIndexOf('|') + 1)..];
}
