using FuncStash.Messages;
using FuncStash.Telemetry;

namespace FuncStash.Delivery;

/// <summary>Counts what attempts bring.</summary>
internal static class DeliveryMetrics
{
    /// <summary>Counts an attempt whose step stands.</summary>
    /// <param name="startedAt">When it was sent, in unix milliseconds.</param>
    /// <param name="now">When its outcome was there, in unix milliseconds.</param>
    public static void Settled(Message message, Transition step, AttemptOutcome outcome, long startedAt, long now)
    {
        var kind = message.Kind();
        switch (step.After.State)
        {
            case MessageState.Delivered:
                Metrics.Delivered(kind, Seconds(message.NotBefore, now));
                break;
            case MessageState.Failed:
                Metrics.Failed(kind);
                break;
            default:
                Metrics.Retried(kind);
                break;
        }
        if (step.After.DlqId is not null)
            Metrics.DeadLettered(kind);
        foreach (var follower in step.Followers)
            Metrics.Published(follower.Kind());
        Metrics.Attempted(kind, Seconds(startedAt, now), outcome.Status);
    }

    private static double Seconds(long from, long to) => Math.Max(0, to - from) / 1000.0;
}
