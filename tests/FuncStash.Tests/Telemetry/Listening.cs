using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using FuncStash.Telemetry;

namespace FuncStash.Tests.Telemetry;

/// <summary>Collects the spans and the measurements of what the test that made it calls, and of no other test.</summary>
internal sealed class Listening : IDisposable
{
    private readonly AsyncLocal<bool> _isMine = new() { Value = true };
    private readonly ActivityListener _spans;
    private readonly MeterListener _meter = new();

    public Listening()
    {
        _spans = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Tracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
                _isMine.Value ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            // Also told of spans that another test's listener asked for.
            ActivityStopped = span =>
            {
                if (_isMine.Value)
                    Spans.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(_spans);
        _meter.InstrumentPublished = (instrument, meter) =>
        {
            if (instrument.Meter.Name == Metrics.MeterName)
                meter.EnableMeasurementEvents(instrument);
        };
        _meter.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _meter.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _meter.Start();
    }

    public ConcurrentQueue<Activity> Spans { get; } = new();

    /// <summary>Each measurement as "name value unit tag=value ...".</summary>
    public ConcurrentQueue<string> Measurements { get; } = new();

    /// <summary>The spans of a name, in the order of their start.</summary>
    public IReadOnlyList<Activity> Named(string name) =>
        [.. Spans.Where(span => span.OperationName == name).OrderBy(span => span.StartTimeUtc)];

    public void Dispose()
    {
        _spans.Dispose();
        _meter.Dispose();
    }

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (!_isMine.Value)
            return;
        var text = FormattableString.Invariant($"{instrument.Name} {value} {instrument.Unit}");
        foreach (var (key, tag) in tags)
            text += $" {key}={tag}";
        Measurements.Enqueue(text);
    }
}
