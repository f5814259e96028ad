using FuncStash.FlowControl;
using FuncStash.Messages;
using FuncStash.Queues;

namespace FuncStash.Overview;

/// <summary>What is going on, at a glance.</summary>
/// <param name="Recent">What the latest events tell.</param>
/// <param name="DeadLettersToday">How many failed for good since midnight UTC, counted up to <see cref="OverviewReader.MaxCount"/>.</param>
/// <param name="PausedQueues">Queues that let nobody in.</param>
/// <param name="PausedKeys">Flow-control keys that let nobody in.</param>
/// <param name="Slow">Destinations that get fewer places because they gave no response, the narrowest first.</param>
/// <param name="Oldest">The message that is due longest and still waits.</param>
/// <param name="InFlight">Attempts of this process whose response has not come.</param>
/// <param name="MaxInFlight">How many it may have.</param>
public sealed record ServiceOverview(
    RecentActivity Recent, int DeadLettersToday, IReadOnlyList<QueueInfo> PausedQueues, IReadOnlyList<FlowControlInfo> PausedKeys,
    IReadOnlyList<(string Host, int InFlight, int Places)> Slow, OldestDue Oldest, int InFlight, int MaxInFlight);

/// <summary>What the latest events tell, up to an hour back.</summary>
/// <param name="Minutes">Each minute, earliest first, the last one not over yet.</param>
/// <param name="Latency">Milliseconds from due to delivered, in order; of those that were both in this time.</param>
/// <param name="Failing">The hosts that attempts failed at, the most first.</param>
/// <param name="Since">How far back they go, in unix milliseconds.</param>
/// <param name="IsCut">True when there are more, and no more were looked at.</param>
public sealed record RecentActivity(
    IReadOnlyList<MinuteCount> Minutes, IReadOnlyList<long> Latency, IReadOnlyList<(string Host, int Failures, string? Error)> Failing,
    long Since, bool IsCut)
{
    /// <summary>The latency that a share of the deliveries was within; null when there were none.</summary>
    public long? LatencyOf(double share) => Latency.Count == 0 ? null : Latency[(int)Math.Min(Latency.Count - 1, Math.Floor(share * Latency.Count))];
}

/// <summary>A minute.</summary>
public sealed record MinuteCount(int Accepted, int Delivered, int FailedAttempts, int Failed);
