using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FuncStash.Functions.Upkeep;

/// <summary>What is done by the clock. The host runs each timer on one instance at a time.</summary>
public sealed class UpkeepTimers(TimeProvider time)
{
    private static readonly OrchestrationRuntimeStatus[] s_ended =
        [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated];

    /// <summary>Removes the histories of orchestrations that have ended; a day is kept for whoever looks into a trouble.</summary>
    [Function("PurgeOrchestrations")]
    public Task PurgeOrchestrationsAsync([TimerTrigger("0 17 * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient durable) =>
        durable.PurgeAllInstancesAsync(new PurgeInstancesFilter(CreatedTo: time.GetUtcNow().AddDays(-1), Statuses: s_ended));
}
