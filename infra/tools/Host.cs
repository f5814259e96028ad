using System.Text.Json.Nodes;

namespace FuncStash.Infra.Check;

/// <summary>host.json: within the limits of the host and the protocol, and every value explained.</summary>
internal static class Host
{
    public static void Check(Checks checks, string root)
    {
        var host = JsonNode.Parse(File.ReadAllText(Path.Combine(root, "host.json")))!;
        var queues = host["extensions"]!["queues"]!;
        var durable = host["extensions"]!["durableTask"]!;
        var storage = durable["storageProvider"]!;
        var sample = JsonNode.Parse(File.ReadAllText(Path.Combine(root, "local.settings.sample.json")))!["Values"]!;
        var maxTimeout = (string)sample["FUNCSTASH_MAX_TIMEOUT"]!;

        checks.That("host.json speaks the app's language: root paths, plain-text queues, a hub by setting",
            Checks.Equal("version", "2.0", (string?)host["version"])
                .Concat(Checks.Equal("routePrefix", "", (string?)host["extensions"]!["http"]!["routePrefix"]))
                .Concat(Checks.Equal("messageEncoding", "none", (string?)queues["messageEncoding"]))
                .Concat(Checks.Equal("hubName", "%FUNCSTASH_TASK_HUB%", (string?)durable["hubName"]))
                .Concat(host["telemetryMode"] is null ? [] : ["telemetryMode is in host.json: without telemetry destinations would get traces that nobody sent"]));
        checks.That("host.json stays within the host's limits",
            Between("batchSize", 1, (int)queues["batchSize"]!, 32)
                .Concat(Between("newBatchThreshold", 0, (int)queues["newBatchThreshold"]!, 1000))
                .Concat(Between("maxDequeueCount", 5, (int)queues["maxDequeueCount"]!, 100))
                .Concat(Between("partitionCount", 1, (int)storage["partitionCount"]!, 16))
                .Concat(Between("controlQueueBatchSize", 1, (int)storage["controlQueueBatchSize"]!, 32))
                .Concat(Between("controlQueueBufferThreshold", 1, (int)storage["controlQueueBufferThreshold"]!, 1000)));
        checks.That("host.json polls the work queue at most three seconds late, and Durable's well within the minute that an alarm is ahead",
            Between("maxPollingInterval", 0.1, Seconds(queues["maxPollingInterval"]), 3)
                .Concat(Between("maxQueuePollingInterval", 0.1, Seconds(storage["maxQueuePollingInterval"]), 20)));
        checks.That("a function may run five minutes longer than a delivery",
            maxTimeout.EndsWith('m') && int.TryParse(maxTimeout[..^1], out var minutes)
                ? Between("functionTimeout", (minutes + 5) * 60, Seconds(host["functionTimeout"]), 3600)
                : [$"FUNCSTASH_MAX_TIMEOUT in the sample is not in minutes: {maxTimeout}"]);
        checks.That("docs/operations.md gives every value of host.json and its reason", Documented(host, root));
    }

    private static double Seconds(JsonNode? span) =>
        TimeSpan.ParseExact((string)span!, @"hh\:mm\:ss", System.Globalization.CultureInfo.InvariantCulture).TotalSeconds;

    private static IEnumerable<string> Between(string name, double least, double value, double most) =>
        value >= least && value <= most ? [] : [$"{name} is {value}, not between {least} and {most}"];

    private static IEnumerable<string> Documented(JsonNode host, string root)
    {
        var docs = File.ReadAllText(Path.Combine(root, "docs/operations.md"));
        var rows = Settings.Rows(docs, "host.json").Where(row => row.Length == 3 && row[2].Length > 0)
            .Select(row => $"{row[0].Trim('`')} = {row[1].Replace("empty", "", StringComparison.Ordinal).Trim('`')}");
        return Checks.Same("host.json", Leaves(host), "docs/operations.md", rows);
    }

    private static IEnumerable<string> Leaves(JsonNode node) => node.AsObject().SelectMany(entry => entry.Value is JsonObject
        ? Leaves(entry.Value).Select(leaf => entry.Key == "tracing" ? leaf.Replace("version", "tracing.version", StringComparison.Ordinal) : leaf)
        : [$"{entry.Key} = {(entry.Value!.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False ? entry.Value.ToJsonString() : entry.Value.ToString())}"]);
}
