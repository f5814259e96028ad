namespace FuncStash.Bench;

/// <summary>Quantiles of a set of latencies, in milliseconds, by the nearest-rank method; NaN of an empty set.</summary>
internal readonly record struct Latency(double P50, double P99)
{
    public static Latency Of(IEnumerable<double> ms)
    {
        var sorted = ms.Order().ToArray();
        return new Latency(Quantile(sorted, 0.50), Quantile(sorted, 0.99));
    }

    public static double Quantile(double[] sorted, double q) =>
        sorted.Length == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(q * sorted.Length) - 1)];

    /// <summary>The middle value, or the mean of the two middle ones.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Where(double.IsFinite).Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
