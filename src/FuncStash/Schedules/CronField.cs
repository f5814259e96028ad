using System.Globalization;

namespace FuncStash.Schedules;

/// <summary>
/// One field of a cron expression as robfig/cron v3 reads it, the parser behind QStash's schedules: a list of
/// <c>*</c> or <c>?</c>, <c>n</c>, <c>n-m</c>, each with <c>/step</c> if need be; <c>n/step</c> goes on to the field's end.
/// </summary>
/// <remarks>
/// A step beyond the field leaves its start, a step of 1 nothing out. Beside robfig's, 7 is Sunday too, alone and at the
/// end of a range.
/// </remarks>
internal sealed class CronField
{
    private static readonly string[] s_months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] s_weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly Kind _kind;
    private ulong _bits;
    private bool _isInterval;

    private CronField(Kind kind) => _kind = kind;

    /// <summary>True for <c>*</c>, <c>?</c> and those with a step of 1: of two day fields that are not both restricted, both count.</summary>
    public bool IsStar { get; private set; }

    /// <summary>The field as Cronos reads it.</summary>
    /// <remarks>What was a range or a step stays one for Cronos, which sees by that how it follows a clock that is set.</remarks>
    public string Text
    {
        get
        {
            var values = Enumerable.Range(_kind.Min, _kind.Max - _kind.Min + 1).Where(n => (_bits & (1UL << n)) != 0).ToList();
            if (_isInterval && values.Count == _kind.Max - _kind.Min + 1)
                return "*";
            var list = string.Join(',', values.Select(n => n.ToString(CultureInfo.InvariantCulture)));
            return _isInterval ? string.Create(CultureInfo.InvariantCulture, $"{values[0]}-{list}") : list;
        }
    }

    /// <summary>Reads a field.</summary>
    /// <param name="text">The field's text, without spaces.</param>
    /// <param name="kind">Which field it is.</param>
    /// <returns>Null for what robfig/cron does not know, and for a field that no value fits.</returns>
    public static CronField? Read(string text, Kind kind)
    {
        var field = new CronField(kind);
        foreach (var piece in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!field.Take(piece))
                return null;
        }
        return field._bits == 0 ? null : field;
    }

    private bool Take(string piece)
    {
        var (range, step) = (piece, 1L);
        var slash = piece.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            range = piece[..slash];
            if (Number(piece[(slash + 1)..]) is not { } given || given == 0)
                return false;
            step = Math.Min(given, 100); // longer than every field
        }
        var bounds = range.Split('-');
        long first = _kind.Min, last = _kind.Max;
        if (bounds[0] is "*" or "?")
            IsStar |= step == 1; // whatever stands behind a hyphen there
        else if (bounds.Length > 2 || Value(bounds[0]) is not { } low || (bounds.Length == 2 ? Value(bounds[1]) : low) is not { } high)
            return false;
        else
            (first, last) = (low, bounds.Length == 1 && slash >= 0 ? Math.Max(low, _kind.Max) : high);
        if (first < _kind.Min || last > _kind.Highest || first > last)
            return false;
        _isInterval |= first + step <= last;
        for (var n = first; n <= last; n += step)
            _bits |= 1UL << (int)(n > _kind.Max ? n - 7 : n);
        return true;
    }

    private long? Value(string text) =>
        Array.FindIndex(_kind.Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is var index and >= 0
            ? index + _kind.Min
            : Number(text);

    // As Go's Atoi, which takes a plus sign; a minus sign is the hyphen of a range.
    private static long? Number(string text)
    {
        var digits = text.StartsWith('+') ? text[1..] : text;
        return digits.Length > 0 && digits.All(char.IsAsciiDigit)
            && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>A field's place in the expression: its values and their names.</summary>
    /// <param name="Min">The first value.</param>
    /// <param name="Max">The last value.</param>
    /// <param name="Names">The names of the values, in order; empty for none.</param>
    public sealed record Kind(int Min, int Max, string[] Names)
    {
        public static readonly Kind Minute = new(0, 59, []), Hour = new(0, 23, []), Day = new(1, 31, []),
            Month = new(1, 12, s_months), Weekday = new(0, 6, s_weekdays) { Highest = 7 };

        /// <summary>The last value that may be written: of the weekdays 7, Sunday once more.</summary>
        public int Highest { get; private init; } = Max;
    }
}
