using FuncStash.Cli.Verbs;
using FuncStash.Client;

namespace FuncStash.Cli.Moving;

/// <summary>Something that cannot be moved.</summary>
/// <param name="Kind">What it is, such as <c>schedule</c>.</param>
/// <param name="Name">Its name or id.</param>
/// <param name="Reason">Why not, and what to do.</param>
internal sealed record LeftOut(string Kind, string Name, string Reason);

/// <summary>What a service has, and what of it cannot be told.</summary>
internal sealed record Reading(Inventory Inventory, IReadOnlyList<LeftOut> LeftOut);

/// <summary>Reads the inventory of a service.</summary>
internal static class InventoryReader
{
    /// <exception cref="QStashRequestException">The service refused, or did not answer.</exception>
    public static async Task<Reading> ReadAsync(QStashClient client, CancellationToken cancellation)
    {
        var (queues, groups, keys, schedules) = (
            client.Queues.ListAsync(cancellation), client.UrlGroups.ListAsync(cancellation),
            client.FlowControl.ListAsync(cancellationToken: cancellation), client.Schedules.ListAsync(cancellation));
        await Task.WhenAll(queues, groups, keys, schedules);
        var (told, hidden) = (new List<QStashSchedule>(), new List<LeftOut>());
        foreach (var schedule in await schedules)
        {
            if (Redacted(schedule) is { } what)
                hidden.Add(new("schedule", schedule.ScheduleId, $"its {what} is redacted, so that nobody can read it: create it again where it is to be"));
            else
                told.Add(schedule);
        }

        var inventory = new Inventory
        {
            Queues = [.. (await queues).Select(q => new QueueSetup { Name = q.Name, Parallelism = q.Parallelism, Paused = q.IsPaused })],
            UrlGroups = [.. (await groups).Select(g => new UrlGroupSetup { Name = g.Name, Endpoints = [.. g.Endpoints.Select(e => new EndpointSetup { Name = e.Name, Url = e.Url })] })],
            FlowControl = [.. (await keys).Select(Of).OfType<FlowControlSetup>()],
            Schedules = [.. told.Select(Of)],
        };
        return new Reading(Canonical.Of(inventory), hidden);
    }

    // A key that nobody has pinned or paused is what its messages make of it.
    private static FlowControlSetup? Of(FlowControlInfo key) => key is { IsPinnedParallelism: false, IsPinnedRate: false, IsPaused: false } ? null : new()
    {
        Key = key.FlowControlKey, Paused = key.IsPaused,
        Parallelism = key is { IsPinnedParallelism: true, ParallelismMax: > 0 } ? key.ParallelismMax : null,
        Rate = key is { IsPinnedRate: true, RateMax: > 0 } ? key.RateMax : null,
        Period = key is { IsPinnedRate: true, RateMax: > 0 } ? Durations.Text(key.RatePeriod) : null,
    };

    private static ScheduleSetup Of(QStashSchedule schedule) => new()
    {
        Id = schedule.ScheduleId, Cron = schedule.Cron, Destination = schedule.Destination, Method = schedule.Method ?? "POST",
        Headers = Of(schedule.Headers), Body = schedule.Body,
        BodyBase64 = schedule.BodyBase64 is { Length: > 0 } bytes ? Convert.ToBase64String(bytes) : null,
        Retries = schedule.Retries, RetryDelay = schedule.RetryDelayExpression,
        Delay = Durations.Text(schedule.Delay), Timeout = Durations.Text(schedule.Timeout),
        Callback = schedule.Callback is { Length: > 0 } callback ? new() { Url = callback, Headers = Of(schedule.CallbackHeaders) } : null,
        FailureCallback = schedule.FailureCallback is { Length: > 0 } failure ? new() { Url = failure, Headers = Of(schedule.FailureCallbackHeaders) } : null,
        Queue = schedule.QueueName,
        FlowControl = schedule.FlowControlKey is { Length: > 0 } key
            ? new() { Key = key, Parallelism = schedule.Parallelism, Rate = schedule.Rate, Period = Durations.Text(schedule.Period) } : null,
        Labels = schedule.Labels is null ? null : [.. schedule.Labels],
        Paused = schedule.IsPaused,
    };

    private static Dictionary<string, string>? Of(IReadOnlyDictionary<string, IReadOnlyList<string>>? headers) =>
        headers?.ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);

    // (protocol#redaction): a hash stands where the value was.
    private static string? Redacted(QStashSchedule schedule) =>
        IsHash(schedule.Body) ? "body"
        : Of(schedule.Headers, schedule.CallbackHeaders, schedule.FailureCallbackHeaders).FirstOrDefault(header => header.Value.Any(IsHash)).Key is { } name
            ? $"header {name}" : null;

    private static IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> Of(params IReadOnlyDictionary<string, IReadOnlyList<string>>?[] maps) =>
        maps.OfType<IReadOnlyDictionary<string, IReadOnlyList<string>>>().SelectMany(map => map);

    private static bool IsHash(string? text) =>
        text is { Length: 73 } && text.StartsWith("REDACTED:", StringComparison.Ordinal) && text[9..].All(char.IsAsciiHexDigitLower);
}
