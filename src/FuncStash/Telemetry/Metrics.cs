using System.Diagnostics.Metrics;
using FuncStash.Delivery;
using FuncStash.Messages;

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

    internal static void Cancelled(Message message) => s_cancelled.Add(1, KindOf(message));

    /// <summary>Counts the messages of a publish that were <paramref name="created"/>; the others were there before.</summary>
    internal static void Published(IReadOnlyList<NewMessage> news, bool[] created)
    {
        if (!s_published.Enabled)
            return;
        for (var i = 0; i < news.Count; i++)
        {
            if (created[i])
                s_published.Add(1, KindOf(news[i].Message));
        }
    }

    /// <summary>Counts an attempt whose step stands.</summary>
    /// <param name="startedAt">When it was sent, in unix milliseconds.</param>
    /// <param name="now">When its outcome was there, in unix milliseconds.</param>
    internal static void Settled(Message message, Transition step, AttemptOutcome outcome, long startedAt, long now)
    {
        var kind = KindOf(message);
        switch (step.After.State)
        {
            case MessageState.Delivered:
                s_delivered.Add(1, kind);
                s_latency.Record(Seconds(message.NotBefore, now), kind);
                break;
            case MessageState.Failed:
                s_failed.Add(1, kind);
                break;
            default:
                s_retried.Add(1, kind);
                break;
        }
        if (step.After.DlqId is not null)
            s_deadLetters.Add(1, kind);
        foreach (var follower in step.Followers)
            s_published.Add(1, KindOf(follower));
        if (s_attempts.Enabled)
        {
            var seconds = Seconds(startedAt, now);
            if (outcome.Status is >= 200 and <= 299)
                s_attempts.Record(seconds, kind, Status(outcome));
            else if (outcome.Status > 0)
                s_attempts.Record(seconds, kind, Status(outcome), new("error.type", ErrorType(outcome)));
            else
                s_attempts.Record(seconds, kind, new("error.type", ErrorType(outcome)));
        }
    }

    /// <summary>The value of OpenTelemetry's <c>error.type</c>: the status, or that there was no response.</summary>
    internal static string ErrorType(AttemptOutcome outcome) =>
        outcome.Status == 0 ? "no_response" : outcome.Status.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static KeyValuePair<string, object?> Status(AttemptOutcome outcome) => new("http.response.status_code", outcome.Status);

    private static KeyValuePair<string, object?> KindOf(Message message) => new(Kind,
        message.CallbackOf is not null ? "callback"
        : message.ScheduleId is not null ? "schedule"
        : message.QueueName is not null ? "queue"
        : message.TopicName is not null ? "topic"
        : "url");

    private static double Seconds(long from, long to) => Math.Max(0, to - from) / 1000.0;
}
