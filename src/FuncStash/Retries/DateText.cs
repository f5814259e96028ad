using System.Globalization;

namespace FuncStash.Retries;

/// <summary>Dates as servers write them: the three forms of HTTP (RFC 9110 §5.6.7), ISO 8601, and what Ruby and JavaScript make of a date.</summary>
internal static class DateText
{
    // HTTP dates without their weekday, which senders get wrong and nobody needs.
    private static readonly string[] s_http =
    [
        "d MMM yyyy H:m:s 'GMT'", "d MMM yyyy H:m:s 'UTC'", "d MMM yyyy H:m:s zzz", "d-MMM-yy H:m:s 'GMT'", "d-MMM-yyyy H:m:s 'GMT'",
        "MMM d H:m:s yyyy", "MMM d yyyy H:m:s 'GMT'zzz",
    ];

    private static readonly string[] s_iso =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyyMMdd'T'HHmmssK",
        "yyyy-MM-dd HH:mm:ss 'UTC'", "yyyy-MM-dd HH:mm:ss zzz",
    ];

    /// <summary>Reads a date, in upper or lower case; one without a zone is in UTC.</summary>
    public static bool TryParse(string value, out DateTimeOffset date)
    {
        // JavaScript adds the name of the zone: "GMT+0000 (Coordinated Universal Time)".
        value = value.Split(" (")[0].ToUpperInvariant();
        // "Sun, 06 Nov 1994 …" and "Sunday, 06-Nov-94 …", or "Sun Nov  6 … 1994".
        var comma = value.IndexOf(',', StringComparison.Ordinal);
        var weekday = comma >= 0 ? comma + 1 : value.Length > 3 && value[3] == ' ' ? 4 : 0;
        return TryParse(value.AsSpan(weekday), s_http, out date) || TryParse(value, s_iso, out date);
    }

    private static bool TryParse(ReadOnlySpan<char> value, string[] formats, out DateTimeOffset date) => DateTimeOffset.TryParseExact(
        value, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out date);
}
