using System.Globalization;
using System.Text.Json;

namespace FuncStash.Client;

/// <summary>Reads times and durations.</summary>
internal static class Numbers
{
    /// <summary>The latest time a date can have, nearly: in the year 9892.</summary>
    public const double LastSecond = 2.5e11, LastMillisecond = LastSecond * 1000;

    /// <summary>A number that is a number or, as some documents have it, a text.</summary>
    /// <exception cref="JsonException">It is none, or none from 0 to <paramref name="last"/>.</exception>
    public static double Read(ref Utf8JsonReader reader, double last)
    {
        var value = reader.TokenType == JsonTokenType.String
            ? double.TryParse(reader.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : double.NaN
            : reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : double.NaN;
        return value >= 0 && value <= last ? value : throw new JsonException("not a time");
    }
}
