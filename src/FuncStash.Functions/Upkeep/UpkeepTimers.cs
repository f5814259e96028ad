using FuncStash.Admission;
using FuncStash.Functions.Delivery;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Upkeep;

/// <summary>What is done by the clock. The host runs each timer on one instance at a time.</summary>
public sealed class UpkeepTimers(GateSweep gates, DurableSchedule schedule, TimeProvider time)
{
    private static readonly OrchestrationRuntimeStatus[] s_ended =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    /// <summary>Finds places in queues and flow-control keys that a dead worker left taken.</summary>
    [Function("SweepGates")]
    public Task SweepGatesAsync([TimerTrigger("30 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable)
    {
        schedule.Use(durable);
        return gates.RunAsync();
    }

    /// <summary>Removes the histories of orchestrations that have ended; a day is kept for whoever looks into a trouble.</summary>
    [Function("PurgeOrchestrations")]
    public Task PurgeOrchestrationsAsync([TimerTrigger("0 17 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable) =>
        durable.PurgeAllInstancesAsync(new PurgeInstancesFilter(CreatedTo: time.GetUtcNow().AddDays(-1), Statuses: s_ended));
}
