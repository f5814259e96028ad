using FuncStash.Access;
using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Deduplication;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.FlowControl;
using FuncStash.Http;
using FuncStash.Llm;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Overview;
using FuncStash.Publishing;
using FuncStash.Queues;
using FuncStash.RunLogs;
using FuncStash.Runs;
using FuncStash.Schedules;
using FuncStash.Settings;
using FuncStash.Signing;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.UrlGroups;
using FuncStash.Waiting;
using FuncStash.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FuncStash;

public static class FuncStashServices
{
    /// <summary>Adds the service. The host adds an <see cref="IStore"/> and an <see cref="IDeliverySchedule"/>.</summary>
    public static IServiceCollection AddFuncStash(this IServiceCollection services, FuncStashOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(Random.Shared);
        services.AddSingleton(options);
        services.AddSingleton(provider => provider.GetRequiredService<IStore>().Tables);
        services.AddSingleton(provider => new MessageIds(
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<IStore>().IsPartitioned ? MessageId.Shards : 1));
        services.AddSingleton<StoreTrouble>();
        services.AddSingleton<MessageStore>();
        services.AddSingleton<Gates>();
        services.AddSingleton<AdmissionService>();
        services.AddSingleton<GateSweep>();
        services.AddSingleton<Cancellation>();
        services.AddSingleton<QueueService>();
        services.AddSingleton<FlowControlService>();
        services.AddSingleton<LiveMessages>();
        services.AddSingleton<OldestDueReader>();
        services.AddSingleton<BulkCancellation>();
        services.AddSingleton<Deduplicator>();
        services.AddSingleton<UrlGroupStore>();
        services.TryAddSingleton<HostLookup>(SystemResolver.LookUpAsync);
        services.AddSingleton<AddressPolicy>();
        services.AddSingleton<KnownHosts>();
        services.AddSingleton<DestinationCheck>();
        services.AddSingleton<PublishCheck>();
        services.AddSingleton<EndpointChanges>();
        services.AddSingleton<Publisher>();
        services.AddSingleton<Signer>();
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<LlmProvider>();
        services.AddSingleton<Outbound>();
        services.AddSingleton<DestinationLanes>();
        services.AddSingleton<FailingMessages>();
        services.AddSingleton<Settler>();
        services.AddSingleton<StepFailures>();
        services.AddSingleton<DeliveryService>();
        services.AddSingleton<WaitReader>();
        services.AddSingleton<AttemptReader>();
        services.AddSingleton<DeadLetterStore>();
        services.AddSingleton<DeadLetterReader>();
        services.AddSingleton<DeadLetterGroups>();
        services.AddSingleton<DeadLetterRetry>();
        services.AddSingleton<SendAgain>();
        services.AddSingleton<LogReader>();
        services.AddSingleton<OverviewReader>();
        services.AddSingleton<ScheduleStore>();
        services.AddSingleton<ScheduleSignal>();
        services.AddSingleton<Scheduler>();
        services.AddSingleton<Acceptance>();
        services.AddSingleton<ScheduleTicker>();
        services.AddSingleton<LastRun>();
        services.AddSingleton<QueueProbe>();
        services.TryAddSingleton<IAlarmClock, NoAlarms>();
        services.TryAddSingleton(provider => new Presence(
            provider.GetRequiredService<ITables>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TicketsInDoubt>();
        services.AddSingleton<Buckets>();
        services.AddSingleton<BucketWaker>();
        services.AddSingleton<BucketWatch>();
        services.AddSingleton<Purge>();
        services.AddSingleton<Watchlist>();
        services.AddSingleton<RunPurge>();
        services.AddSingleton<IndexPurge>();
        services.AddSingleton<RunSweep>();
        services.AddSingleton<Sweep>();
        services.AddSingleton<Rescue>();
        services.AddSingleton<UpkeepTurns>();
        services.AddSingleton<UpkeepService>();
        services.AddWorkflows();
        services.AddSingleton<TokenCheck>();
        services.AddSingleton<DevelopmentGuard>();
        services.AddSingleton<Api>();
        services.AddSingleton<PageAnswer>();
        services.AddSingleton<IResource, PublishResource>();
        services.AddSingleton<IResource, EnqueueResource>();
        services.AddSingleton<IResource, BatchResource>();
        services.AddSingleton<IResource, MessagesResource>();
        services.AddSingleton<IResource, LogsResource>();
        services.AddSingleton<IResource, DlqResource>();
        services.AddSingleton<IResource, QueuesResource>();
        services.AddSingleton<IResource, FlowControlResource>();
        services.AddSingleton<IResource, DlqRetryResource>();
        services.AddSingleton<IResource, LlmResource>();
        services.AddSingleton<IResource, TopicsResource>();
        services.AddSingleton<IResource, KeysResource>();
        services.AddSingleton<IResource, HealthResource>();
        services.AddSingleton<IResource, OverviewResource>();
        services.AddSingleton<IResource, SchedulesResource>();
        services.AddSingleton<IResource, RunsResource>();
        services.AddSingleton<IResource, TriggerResource>();
        services.AddSingleton<IResource, EventsResource>();
        services.AddSingleton<IResource, RunLogResource>();
        services.AddSingleton<IResource, HooksResource>();
        services.AddSingleton<RunDlqResource>();
        services.AddSingleton<IResource>(provider => provider.GetRequiredService<RunDlqResource>());
        return services;
    }

    private static void AddWorkflows(this IServiceCollection services)
    {
        services.AddSingleton<RunStore>();
        services.AddSingleton<RunIndex>();
        services.AddSingleton<RunTurns>();
        services.AddSingleton<WaiterIndex>();
        services.AddSingleton<RunAdmission>();
        services.AddSingleton<RunCheck>();
        services.AddSingleton<RunTrigger>();
        services.AddSingleton<RunSubmissions>();
        services.AddSingleton<RunInvocations>();
        services.AddSingleton<RunContinuation>();
        services.AddSingleton<RunFailures>();
        services.AddSingleton<RunDebts>();
        services.AddSingleton<RunEnds>();
        services.AddSingleton<LostRuns>();
        services.AddSingleton<MessageCancellation>();
        services.AddSingleton<RunLetters>();
        services.AddSingleton<RunReader>();
        services.AddSingleton<RunViewer>();
        services.AddSingleton<RunWaits>();
        services.AddSingleton<RunEvents>();
        services.AddSingleton<RunHistory>();
        services.AddSingleton<RunPublisher>();
        services.AddSingleton<IRunDeliveries, RunDeliveries>();
    }
}
