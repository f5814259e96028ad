using FuncStash.Messages;
using FuncStash.Storage;

namespace FuncStash.Waiting;

/// <summary>
/// The schedule of a host whose work queue is to hold little: what is due soon waits there, with a visibility delay; all else
/// waits in the bucket of its minute, and an alarm brings it to the work queue shortly before.
/// </summary>
/// <remarks>
/// Scalers act on the length of a queue, and invisible messages count: a million that wait would keep every instance awake.
/// </remarks>
public sealed class BucketSchedule(Buckets buckets, IAlarmClock alarms, TimeProvider time, Random random) : IDeliverySchedule
{
    public async ValueTask<IReadOnlyList<Send>> PlanAsync(IReadOnlyList<PlannedDelivery> deliveries, CancellationToken cancellation)
    {
        var now = Now;
        var sends = new List<Send>(deliveries.Count);
        Dictionary<long, List<PlannedDelivery>>? later = null;
        foreach (var delivery in deliveries)
        {
            if (WaitTimes.MinuteOf(delivery.DueAt, now) is not { } minute)
                sends.Add(ToSend(delivery, now));
            else if ((later ??= []).TryGetValue(minute, out var others))
                others.Add(delivery);
            else
                later[minute] = [delivery];
        }
        foreach (var (minute, waiting) in later ?? [])
        {
            foreach (var late in await buckets.AddAsync(minute, waiting, cancellation))
                sends.Add(ToSend(late, Now));
            if (minute - Now <= WaitTimes.HorizonMs)
                await alarms.SetAsync(minute, cancellation);
        }
        return sends;
    }

    public int NewWait(long dueAt) => WaitTimes.MinuteOf(dueAt, Now) is null ? 0 : random.Next(1, int.MaxValue);

    public bool IsAhead(PlannedDelivery delivery) => delivery.Wait == 0 || WaitTimes.IsAhead(delivery.DueAt - (delivery.DueAt % WaitTimes.MinuteMs), Now);

    /// <summary>
    /// The ticket with the rest of its wait in whole seconds, as Azure's queues count, rounded down: it comes a little early,
    /// and its due time in the text says so. That of a retry always does, which tells it from the ticket of the attempt before.
    /// </summary>
    internal static Send ToSend(PlannedDelivery delivery, long now) => delivery is { Wait: 0, IsRetry: false } && delivery.DueAt <= now
        ? delivery.Ticket.ToSend()
        : new WorkItem.Deliver(delivery.Ticket, delivery.DueAt, delivery.Wait).ToSend(TimeSpan.FromSeconds((delivery.DueAt - now) / 1000));

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();
}
