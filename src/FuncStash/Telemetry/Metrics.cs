using System.Diagnostics.Metrics;

namespace FuncStash.Telemetry;

/// <summary>The metrics of the service. Their tags have few values: no id, no URL, no name that users choose.</summary>
public static class Metrics
{
    /// <summary>The name of the meter, for whoever listens.</summary>
    public const string MeterName = "FuncStash";

    private const string Message = "{message}", Kind = "funcstash.message.kind";

    private static readonly Meter s_meter = new(MeterName);

    private static readonly Counter<long> s_published = s_meter.CreateCounter<long>(
        "funcstash.messages.published", Message, "Messages accepted, callbacks included.");

    private static readonly Counter<long> s_delivered = s_meter.CreateCounter<long>(
        "funcstash.messages.delivered", Message, "Messages that their destination accepted.");

    private static readonly Counter<long> s_retried = s_meter.CreateCounter<long>(
        "funcstash.messages.retried", "{retry}", "Attempts that failed and are followed by another.");

    private static readonly Counter<long> s_failed = s_meter.CreateCounter<long>(
        "funcstash.messages.failed", Message, "Messages whose last attempt failed.");

    private static readonly Counter<long> s_cancelled = s_meter.CreateCounter<long>(
        "funcstash.messages.cancelled", Message, "Messages that were cancelled before they ended.");

    private static readonly Counter<long> s_deadLetters = s_meter.CreateCounter<long>(
        "funcstash.dead_letters", Message, "Messages added to the dead letter queue.");

    private static readonly Counter<long> s_recovered = s_meter.CreateCounter<long>(
        "funcstash.messages.recovered", Message, "Messages that nothing acted for any more and that were sent on their way again.");

    private static readonly Histogram<double> s_attempts = s_meter.CreateHistogram(
        "funcstash.attempt.duration", "s", "Time from sending an attempt to its response, or to giving up on one.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
        });

    private static readonly Histogram<double> s_latency = s_meter.CreateHistogram(
        "funcstash.delivery.latency", "s",
        "Time from the publish, or from the end of its delay, to the response of the attempt that delivered the message.",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400],
        });

    /// <summary>Counts a message that had been lost.</summary>
    internal static void Recovered() => s_recovered.Add(1);

    internal static void Cancelled(string kind) => s_cancelled.Add(1, KindOf(kind));

    /// <summary>False where nobody counts, so that a caller need not find out what it would count.</summary>
    internal static bool CountsPublished => s_published.Enabled;

    internal static void Published(string kind) => s_published.Add(1, KindOf(kind));

    /// <summary>Counts a message that its destination accepted.</summary>
    /// <param name="kind">The kind of message.</param>
    /// <param name="latency">Seconds since it was first due.</param>
    internal static void Delivered(string kind, double latency)
    {
        s_delivered.Add(1, KindOf(kind));
        s_latency.Record(latency, KindOf(kind));
    }

    internal static void Failed(string kind) => s_failed.Add(1, KindOf(kind));

    internal static void Retried(string kind) => s_retried.Add(1, KindOf(kind));

    internal static void DeadLettered(string kind) => s_deadLetters.Add(1, KindOf(kind));

    /// <summary>Counts an attempt.</summary>
    /// <param name="kind">The kind of message.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="status">The HTTP status; 0 when there was no response.</param>
    internal static void Attempted(string kind, double seconds, int status)
    {
        if (!s_attempts.Enabled)
            return;
        if (status is >= 200 and <= 299)
            s_attempts.Record(seconds, KindOf(kind), Status(status));
        else if (status > 0)
            s_attempts.Record(seconds, KindOf(kind), Status(status), new("error.type", ErrorType(status)));
        else
            s_attempts.Record(seconds, KindOf(kind), new("error.type", ErrorType(status)));
    }

    /// <summary>The value of OpenTelemetry's <c>error.type</c>: the status, or that there was no response.</summary>
    internal static string ErrorType(int status) =>
        status == 0 ? "no_response" : status.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static KeyValuePair<string, object?> Status(int status) => new("http.response.status_code", status);

    private static KeyValuePair<string, object?> KindOf(string kind) => new(Kind, kind);
}
