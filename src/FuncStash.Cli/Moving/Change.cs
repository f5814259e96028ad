using System.Text.Json;
using System.Text.Json.Nodes;
using FuncStash.Cli.Terminals;
using FuncStash.Cli.Verbs;
using FuncStash.Client;

namespace FuncStash.Cli.Moving;

/// <summary>What one thing says now and is to say.</summary>
/// <param name="Name">The name of a field, as files have it.</param>
/// <param name="From">Its value now; null for none.</param>
/// <param name="To">Its value after it; null for none.</param>
internal sealed record FieldChange(string Name, JsonNode? From, JsonNode? To);

/// <summary>One thing that is to be otherwise at the service. Made twice, it is made once.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name or id.</param>
/// <param name="IsNew">Whether the service has none of that name.</param>
/// <param name="Fields">What is to change; of a new one everything it says.</param>
internal abstract record Change(string Kind, string Name, bool IsNew, IReadOnlyList<FieldChange> Fields)
{
    /// <summary>Makes it so.</summary>
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public abstract Task ApplyAsync(QStashClient client, CancellationToken cancellation);

    /// <summary>A change from one state to another; null when they are the same.</summary>
    /// <param name="wanted">How it is to be.</param>
    /// <param name="actual">How it is; null when it is not there.</param>
    /// <param name="change">Makes the change of what differs.</param>
    public static Change? Between<T>(T wanted, T? actual, Func<IReadOnlyList<FieldChange>, Change> change)
        where T : class
    {
        var (to, from) = (Json(wanted), actual is null ? [] : Json(actual));
        var fields = to.Select(field => field.Key).Union(from.Select(field => field.Key))
            .Where(name => !JsonNode.DeepEquals(to[name], from[name]))
            .Select(name => new FieldChange(name, from[name]?.DeepClone(), to[name]?.DeepClone())).ToList();
        return fields.Count == 0 ? null : change(fields);
    }

    private static JsonObject Json<T>(T value) => (JsonObject)JsonSerializer.SerializeToNode(value, typeof(T), CliJson.Default)!;

    public sealed record OfQueue(QueueSetup Wanted, bool IsNew, IReadOnlyList<FieldChange> Fields) : Change("queue", Wanted.Name, IsNew, Fields)
    {
        public override Task ApplyAsync(QStashClient client, CancellationToken cancellation) =>
            client.Queues.UpsertAsync(Wanted.Name, Wanted.Parallelism, Wanted.Paused, cancellation);
    }

    public sealed record OfFlowControl(FlowControlSetup Wanted, FlowControlSetup? Actual, IReadOnlyList<FieldChange> Fields)
        : Change("flow control", Wanted.Key, Actual is null, Fields)
    {
        public override async Task ApplyAsync(QStashClient client, CancellationToken cancellation)
        {
            var keys = client.FlowControl;
            if (Wanted.Parallelism is not null || Wanted.Rate is not null)
                await keys.PinAsync(Name, Wanted.Parallelism, Wanted.Rate, Wanted.Period is { } period ? Durations.Parse(period) : null, cancellation);
            var (parallelism, rate) = (Actual?.Parallelism is not null && Wanted.Parallelism is null, Actual?.Rate is not null && Wanted.Rate is null);
            if (parallelism || rate)
                await keys.UnpinAsync(Name, parallelism, rate, cancellation);
            if (Wanted.Paused)
                await keys.PauseAsync(Name, cancellation);
            else if (Actual is { Paused: true })
                await keys.ResumeAsync(Name, cancellation);
        }
    }

    public sealed record OfUrlGroup(UrlGroupSetup Wanted, bool IsNew, IReadOnlyList<FieldChange> Fields) : Change("URL group", Wanted.Name, IsNew, Fields)
    {
        public override async Task ApplyAsync(QStashClient client, CancellationToken cancellation)
        {
            // New ones first, since with its last endpoint a group goes. An endpoint may take over the name or the URL of
            // another (protocol#url-groups), so what is there is looked at in between, and twice at most.
            var there = IsNew ? [] : await EndpointsAsync(client, cancellation);
            for (var round = 0; round < 2; round++)
            {
                if (Wanted.Endpoints.Except(there).ToList() is { Count: > 0 } missing)
                {
                    await client.UrlGroups.AddEndpointsAsync(Name, missing.Select(e => new UrlGroupEndpoint(e.Url, e.Name)), cancellation);
                    there = IsNew && round == 0 ? Wanted.Endpoints : await EndpointsAsync(client, cancellation);
                }

                if (there.Except(Wanted.Endpoints).ToList() is not { Count: > 0 } surplus)
                    return;
                await client.UrlGroups.RemoveEndpointsAsync(
                    Name, surplus.Where(e => e.Name is null).Select(e => e.Url), surplus.Select(e => e.Name).OfType<string>(), cancellation);
                there = await EndpointsAsync(client, cancellation);
            }
        }

        private async Task<List<EndpointSetup>> EndpointsAsync(QStashClient client, CancellationToken cancellation)
        {
            try
            {
                return [.. (await client.UrlGroups.GetAsync(Name, cancellation)).Endpoints.Select(e => new EndpointSetup { Name = string.IsNullOrEmpty(e.Name) ? null : e.Name, Url = e.Url })];
            }
            catch (QStashRequestException none) when (none.Status == 404)
            {
                return [];
            }
        }
    }

    public sealed record OfSchedule(ScheduleSetup Wanted, ScheduleSetup? Actual, IReadOnlyList<FieldChange> Fields)
        : Change("schedule", Wanted.Id, Actual is null, Fields)
    {
        public override async Task ApplyAsync(QStashClient client, CancellationToken cancellation)
        {
            // A schedule whose pause alone differs is not made again: it would lose what it tells of its runs.
            var isMade = Actual is null || Fields.Any(field => field.Name != "paused");
            if (isMade)
                await client.Schedules.CreateAsync(Wanted.Destination, Wanted.Cron, ScheduleCall.BodyOf(Wanted), ScheduleCall.OptionsOf(Wanted), cancellation);
            if (Wanted.Paused)
                await client.Schedules.PauseAsync(Name, cancellation);
            else if (Actual is { Paused: true })
                await client.Schedules.ResumeAsync(Name, cancellation);
        }
    }
}
