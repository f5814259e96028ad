using System.Globalization;
using FuncStash.Cli.Moving;

namespace FuncStash.Cli.Tests.Moving;

/// <summary>Inventories for the tests: none of their schedules runs while a test does.</summary>
internal static class Setups
{
    public static Inventory Large(int schedules, int groups, int queues) => Canonical.Of(new Inventory
    {
        Queues = [.. Enumerable.Range(0, queues).Select(n => new QueueSetup { Name = $"queue-{n}", Parallelism = 1 + (n % 5), Paused = n % 7 == 0 })],
        FlowControl = [.. Enumerable.Range(0, 10).Select(n => new FlowControlSetup { Key = $"key-{n}", Parallelism = n % 2 == 0 ? 3 : null, Rate = n % 3 == 0 ? 10 : null, Period = n % 3 == 0 ? "1m" : null, Paused = n % 2 == 1 })],
        UrlGroups =
        [
            .. Enumerable.Range(0, groups).Select(n => new UrlGroupSetup
            {
                Name = $"group-{n}",
                Endpoints = [.. Enumerable.Range(0, 1 + (n % 3)).Select(e => new EndpointSetup { Name = e == 1 ? "second" : null, Url = $"http://127.0.0.1:9/{n}/{e}" })],
            }),
        ],
        Schedules = [.. Enumerable.Range(0, schedules).Select(Schedule)],
    });

    public static ScheduleSetup Schedule(int n) => new()
    {
        Id = $"schedule-{n.ToString("d4", CultureInfo.InvariantCulture)}", Cron = n % 2 == 0 ? $"{n % 60} 4 1 1 *" : $"CRON_TZ=Europe/Oslo {n % 60} 4 1 1 *",
        Destination = n % 5 == 0 ? $"group-{n % 20}" : $"http://127.0.0.1:9/hook?n={n}", Method = n % 3 == 0 ? "PUT" : "POST",
        Body = n % 4 == 0 ? null : $"{{\"n\": {n}, \"text\": \"größe\"}}\n", BodyBase64 = n % 4 == 0 ? Convert.ToBase64String([255, (byte)n]) : null,
        Headers = new() { ["Content-Type"] = "application/json", ["X-Tenant"] = $"t{n}" },
        Retries = n % 6, RetryDelay = n % 2 == 0 ? "1000 * (1 + retried)" : null, Delay = n % 3 == 0 ? "1m30s" : null, Timeout = n % 4 == 0 ? "20s" : null,
        Callback = n % 2 == 0 ? new() { Url = "http://127.0.0.1:9/done", Headers = new() { ["Upstash-Retries"] = "1", ["Upstash-Forward-X-Of"] = $"{n}" } } : null,
        FailureCallback = n % 3 == 0 ? new() { Url = "http://127.0.0.1:9/failed" } : null,
        Queue = n % 7 == 0 ? "queue-3" : null,
        FlowControl = n % 8 == 0 ? new() { Key = "key-of-schedules", Parallelism = 2, Rate = n % 16 == 0 ? 5 : null, Period = n % 16 == 0 ? "1h" : null } : null,
        Labels = n % 2 == 0 ? ["a", $"label {n}"] : null, Paused = n % 10 == 0,
    };
}
