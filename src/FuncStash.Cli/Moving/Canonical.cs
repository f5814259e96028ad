using System.Text;
using FuncStash.Cli.Verbs;

namespace FuncStash.Cli.Moving;

/// <summary>One way to say the same thing, whoever said it: two inventories are compared in it.</summary>
internal static class Canonical
{
    /// <exception cref="UsageException">Something is missing, there twice, or cannot be.</exception>
    public static Inventory Of(Inventory inventory) => new()
    {
        Queues = Named(inventory.Queues, "queue", q => q.Name, q => q.Parallelism < 1 ? throw new UsageException($"queue {q.Name}: its parallelism is 1 or more") : q),
        FlowControl = Named(inventory.FlowControl, "flow-control key", k => k.Key, Of),
        UrlGroups = Named(inventory.UrlGroups, "URL group", g => g.Name, Of),
        Schedules = Named(inventory.Schedules, "schedule", s => s.Id, Of),
    };

    private static List<T> Named<T>(List<T>? items, string kind, Func<T, string> name, Func<T, T> canonical)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items ?? [])
        {
            if (item is null || string.IsNullOrWhiteSpace(name(item)))
                throw new UsageException($"a {kind} has no {(kind is "schedule" ? "id" : kind is "flow-control key" ? "key" : "name")}");
            if (!names.Add(name(item)))
                throw new UsageException($"the {kind} {name(item)} is there twice");
        }

        return [.. (items ?? []).OrderBy(name, StringComparer.Ordinal).Select(canonical)];
    }

    private static FlowControlSetup Of(FlowControlSetup key) => key with
    {
        Parallelism = key.Parallelism is > 0 ? key.Parallelism : null,
        Rate = key.Rate is > 0 ? key.Rate : null,
        // The period is one of the rate.
        Period = key.Rate is > 0 ? Duration(key.Period, key.Key) ?? "1s" : null,
    };

    private static UrlGroupSetup Of(UrlGroupSetup group) => group.Endpoints is not { Count: > 0 }
        ? throw new UsageException($"the URL group {group.Name} has no endpoints")
        : group with
        {
            Endpoints =
            [
                .. group.Endpoints.Select(e => e is { Url.Length: > 0 } ? e with { Name = Given(e.Name) } : throw new UsageException($"an endpoint of {group.Name} has no url"))
                    .Distinct().OrderBy(e => e.Url, StringComparer.Ordinal).ThenBy(e => e.Name, StringComparer.Ordinal),
            ],
        };

    private static ScheduleSetup Of(ScheduleSetup schedule)
    {
        if (string.IsNullOrWhiteSpace(schedule.Cron) || string.IsNullOrWhiteSpace(schedule.Destination))
            throw new UsageException($"the schedule {schedule.Id} needs a cron and a destination");
        if (schedule.Body is { Length: > 0 } && schedule.BodyBase64 is { Length: > 0 })
            throw new UsageException($"the schedule {schedule.Id} has a body and a bodyBase64: one is enough");
        return schedule with
        {
            Cron = schedule.Cron.Trim(),
            Method = string.IsNullOrEmpty(schedule.Method) ? "POST" : schedule.Method.ToUpperInvariant(),
            Headers = Of(schedule.Headers),
            // Text that somebody has written in base64 is text all the same.
            Body = Given(schedule.Body) ?? TextOf(schedule), BodyBase64 = TextOf(schedule) is null ? Given(schedule.BodyBase64) : null,
            RetryDelay = Given(schedule.RetryDelay),
            Delay = Duration(schedule.Delay, schedule.Id), Timeout = Duration(schedule.Timeout, schedule.Id),
            Callback = Of(schedule.Callback), FailureCallback = Of(schedule.FailureCallback),
            Queue = Given(schedule.Queue),
            FlowControl = schedule.FlowControl is { Key.Length: > 0 } flow ? Of(flow) with { Paused = false } : null,
            Labels = schedule.Labels is { Count: > 0 } labels ? labels : null,
        };
    }

    private static CallbackSetup? Of(CallbackSetup? callback) =>
        callback is { Url.Length: > 0 } ? callback with { Headers = Of(callback.Headers) } : null;

    // In the order of their names, which are the same in any letters.
    private static Dictionary<string, string>? Of(Dictionary<string, string>? headers)
    {
        if (headers is not { Count: > 0 })
            return null;
        var folded = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in headers.OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (!folded.TryAdd(name, value))
                throw new UsageException($"the header {name} is there twice, in other letters");
        }

        return folded;
    }

    private static string? TextOf(ScheduleSetup schedule)
    {
        if (Given(schedule.BodyBase64) is not { } base64)
            return null;
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Convert.FromBase64String(base64));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
        catch (FormatException)
        {
            throw new UsageException($"the bodyBase64 of the schedule {schedule.Id} is no base64");
        }
    }

    private static string? Duration(string? text, string of)
    {
        try
        {
            return Given(text) is { } duration ? Durations.Text(Durations.Parse(duration)) : null;
        }
        catch (UsageException wrong)
        {
            throw new UsageException($"{of}: {wrong.Message}");
        }
    }

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
