using FuncStash.Functions.Waiting;
using FuncStash.Schedules;
using FuncStash.Upkeep;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Upkeep;

/// <summary>What is done by the clock. The host runs each timer on one instance at a time.</summary>
/// <remarks>In the same second, because an instance is paid by the second it is awake.</remarks>
public sealed class UpkeepTimers(ScheduleTicker ticker, UpkeepService upkeep, DurableAlarms alarms, TimeProvider time)
{
    private static readonly OrchestrationRuntimeStatus[] s_ended =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    /// <summary>Publishes what schedules are due, after the start of each minute, for cron knows no seconds.</summary>
    [Function("TickSchedules")]
    public Task TickSchedulesAsync(
        [TimerTrigger("1 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable, CancellationToken stop)
    {
        alarms.Use(durable);
        return ticker.TickAsync(time.GetUtcNow(), stop);
    }

    /// <summary>Wakes what nobody woke, frees what dead workers left taken, sends lost messages on their way, removes what outlived its retention.</summary>
    [Function("Upkeep")]
    public Task UpkeepAsync(
        [TimerTrigger("1 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable, CancellationToken stop)
    {
        alarms.Use(durable);
        return upkeep.RunAsync(stop);
    }

    /// <summary>Removes the histories of the orchestrations of the version before: alarms are removed by their ids, when they are over.</summary>
    /// <remarks>To be removed with <see cref="Delivery.DeliveryOrchestration"/>, for it looks through all there are.</remarks>
    [Function("PurgeOrchestrations")]
    public Task PurgeOrchestrationsAsync([TimerTrigger("1 17 3 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable) =>
        durable.PurgeAllInstancesAsync(new PurgeInstancesFilter(CreatedTo: time.GetUtcNow().AddDays(-1), Statuses: s_ended));
}
