using FuncStash.Functions.Waiting;
using FuncStash.Schedules;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Upkeep;

/// <summary>What is done by the clock. The host runs the timer on one instance at a time.</summary>
/// <remarks>
/// One timer for all: an instance is paid by the second it is awake, and for each timer the host holds a lock that it renews
/// day and night (listenerLockPeriod of host.json), and writes down when it ran.
/// </remarks>
public sealed class UpkeepTimers(ScheduleTicker ticker, UpkeepInHand upkeep, DurableAlarms alarms, TimeProvider time)
{
    private static readonly OrchestrationRuntimeStatus[] s_ended =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    /// <summary>
    /// Publishes what schedules are due, after the start of each minute, for cron knows no seconds; wakes what nobody woke, frees what
    /// dead workers left taken, sends lost messages on their way, removes what outlived its retention.
    /// </summary>
    [Function("Upkeep")]
    public Task UpkeepAsync(
        [TimerTrigger("1 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable, CancellationToken stop)
    {
        alarms.Use(durable);
        return Task.WhenAll(ticker.PublishDueAsync(time.GetUtcNow(), stop), upkeep.RunAsync(), PurgeAsync(durable));
    }

    /// <summary>Once a day removes the histories of the orchestrations of the version before: alarms are removed by their ids, when they are over.</summary>
    /// <remarks>To be removed with <see cref="Delivery.DeliveryOrchestration"/>, for it looks through all there are.</remarks>
    private Task PurgeAsync(DurableTaskClient durable) => time.GetUtcNow() is { Hour: 3, Minute: 17 }
        ? durable.PurgeAllInstancesAsync(new PurgeInstancesFilter(CreatedTo: time.GetUtcNow().AddDays(-1), Statuses: s_ended))
        : Task.CompletedTask;
}
