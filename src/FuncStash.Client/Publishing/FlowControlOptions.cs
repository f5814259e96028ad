using System.Globalization;

namespace FuncStash.Client;

/// <summary>A limit that all deliveries with the same key share; at least one of <see cref="Parallelism"/> and <see cref="Rate"/> is given.</summary>
public sealed class FlowControlOptions
{
    /// <summary>A limit under a key.</summary>
    /// <param name="key">The key: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</param>
    public FlowControlOptions(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        Key = key;
    }

    /// <summary>The key: letters, digits, <c>.</c>, <c>_</c> and <c>-</c>.</summary>
    public string Key { get; }

    /// <summary>How many deliveries may wait for their answers at a time, 1 or more.</summary>
    public int? Parallelism { get; set; }

    /// <summary>How many deliveries may start in a <see cref="Period"/>, 1 or more.</summary>
    public int? Rate { get; set; }

    /// <summary>The period of <see cref="Rate"/>, in whole seconds, at most a week; 1 second by default.</summary>
    public TimeSpan? Period { get; set; }

    internal void Write(SettingHeaders headers)
    {
        if (Parallelism is null && Rate is null)
            throw new ArgumentException($"The flow control {Key} needs a Parallelism or a Rate.");
        var parts = new List<string>(3);
        if (Parallelism is { } parallelism)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"parallelism={parallelism}"));
        if (Rate is { } rate)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"rate={rate}"));
        if (DurationText.WholeSeconds(Period, nameof(Period)) is { } period)
            parts.Add($"period={period}");
        headers.Set("Flow-Control-Key", Key);
        headers.Set("Flow-Control-Value", string.Join(", ", parts));
    }
}
