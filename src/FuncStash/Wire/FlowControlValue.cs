using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FuncStash.Wire;

/// <summary>The limits in an <c>Upstash-Flow-Control-Value</c> header (protocol#flow-control-values).</summary>
/// <param name="Rate">Deliveries started per period, at least 1; null for no limit.</param>
/// <param name="Parallelism">Deliveries in flight, at least 1; null for no limit.</param>
/// <param name="PeriodSeconds">The period of the rate, in seconds, 1 to <see cref="MaxPeriodSeconds"/>.</param>
public sealed record FlowControlValue(int? Rate, int? Parallelism, int PeriodSeconds)
{
    /// <summary>The longest period, in seconds: a week.</summary>
    public const int MaxPeriodSeconds = 7 * 24 * 60 * 60;

    private const string Header = "Upstash-Flow-Control-Value";
    private const string Malformed =
        $"{Header} should be either rate=X or parallelism=Y, or both as comma-separated values";

    /// <summary>Reads <c>parallelism=3, rate=10, period=1m</c>: any order, at least one of rate and parallelism.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out FlowControlValue? value, out string error)
    {
        value = null;
        error = Malformed;
        int? rate = null, parallelism = null, period = null;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var pair = part.Split('=', StringSplitOptions.TrimEntries);
            if (pair.Length != 2)
                return false;
            switch (pair[0].ToLowerInvariant())
            {
                case "rate" when rate is null:
                    rate = Count(pair[1]);
                    break;
                case "parallelism" when parallelism is null:
                    parallelism = Count(pair[1]);
                    break;
                case "period" when period is null:
                    period = Seconds(pair[1]);
                    break;
                default:
                    return false;
            }

            if (rate == 0 || parallelism == 0)
            {
                error = $"{Header}: {pair[0]} should be a whole number from 1 to {int.MaxValue}, not '{pair[1]}'";
                return false;
            }

            if (period == 0)
            {
                error = $"{Header}: period should be whole seconds, from 1s to 7d, not '{pair[1]}'";
                return false;
            }
        }

        if (rate is null && parallelism is null)
            return false;
        value = new(rate, parallelism, period ?? 1);
        error = "";
        return true;
    }

    /// <summary>The form in which deliveries tell the limits: those that are not set are left out, the period, in seconds, is always there.</summary>
    public static string Text(int? rate, int? parallelism, int period)
    {
        var parts = new List<string>(3);
        if (parallelism is > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"parallelism={parallelism}"));
        if (rate is > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"rate={rate}"));
        parts.Add(string.Create(CultureInfo.InvariantCulture, $"period={period}"));
        return string.Join(',', parts);
    }

    /// <summary>The number, 0 when it is none of 1 or more.</summary>
    private static int Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;

    /// <summary>The period in seconds, 0 when it is none that is allowed.</summary>
    private static int Seconds(string text) =>
        DurationText.TryParse(text, out var period)
        && period <= TimeSpan.FromSeconds(MaxPeriodSeconds)
        && period.Ticks % TimeSpan.TicksPerSecond == 0
            ? (int)(period.Ticks / TimeSpan.TicksPerSecond)
            : 0;
}
