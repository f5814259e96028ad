using System.Globalization;
using FuncStash.Wire;

namespace FuncStash.FlowControl;

/// <summary>Limits that an operator fixes for a flow-control key (protocol#flow-control-calls).</summary>
/// <param name="Parallelism">Most deliveries in flight; null to leave it to the messages.</param>
/// <param name="Rate">Most deliveries started in a period; null to leave it to the messages.</param>
/// <param name="PeriodSeconds">The length of a period, in seconds; null for a second.</param>
public sealed record PinnedLimits(int? Parallelism, int? Rate, int? PeriodSeconds)
{
    /// <summary>Reads them from texts, of which null says nothing.</summary>
    /// <exception cref="QStashException">400 for one that is no number or out of range.</exception>
    public static PinnedLimits Parse(string? parallelism, string? rate, string? period) => new(
        Number("parallelism", parallelism, int.MaxValue), Number("rate", rate, int.MaxValue),
        Number("period", period, FlowControlValue.MaxPeriodSeconds));

    private static int? Number(string name, string? text, int max)
    {
        if (text is null)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= max
            ? value
            : throw QStashException.BadRequest($"invalid {name}: {text}: must be a number from 1 to {max}");
    }
}
