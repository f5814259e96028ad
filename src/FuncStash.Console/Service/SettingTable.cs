using System.Globalization;
using FuncStash.Console.Parts;
using FuncStash.Settings;

namespace FuncStash.Console.Service;

/// <summary>A setting of the service as it is in force.</summary>
/// <param name="Name">The environment variable, or application setting.</param>
/// <param name="Value">What holds; of a secret only how many there are.</param>
/// <param name="Report">The same for a bug report, where it says less.</param>
public sealed record Setting(string Name, string Value, string Report);

/// <summary>All settings that <see cref="FuncStashSettings"/> reads, as they are in force.</summary>
internal static class SettingTable
{
    public static IReadOnlyList<Setting> Of(FuncStashOptions options)
    {
        var (flows, networks) = (options.Workflows, options.AllowedNetworks);
        return
        [
            Plain("QSTASH_TOKEN", Words.Count(options.Tokens.Count, "token")),
            Plain("QSTASH_READONLY_TOKEN", Words.Count(options.ReadOnlyTokens.Count, "token")),
            Plain("QSTASH_CURRENT_SIGNING_KEY", "until the first rotation"),
            Plain("QSTASH_NEXT_SIGNING_KEY", "until the first rotation"),
            Plain("FUNCSTASH_MAX_BODY_BYTES", Text.Bytes(options.MaxBodyBytes)),
            Plain("FUNCSTASH_MAX_BATCH_BYTES", Text.Bytes(options.MaxBatchBytes)),
            Plain("FUNCSTASH_MAX_RETRIES", Text.Number(options.MaxRetries)),
            Plain("FUNCSTASH_MAX_TIMEOUT", Long(options.MaxTimeout)),
            Plain("FUNCSTASH_MAX_DELAY", Long(options.MaxDelay)),
            Plain("FUNCSTASH_LOG_RETENTION", Long(options.LogRetention)),
            Plain("FUNCSTASH_DLQ_RETENTION", Long(options.DlqRetention)),
            Plain("FUNCSTASH_SWEEP_AFTER", Long(options.SweepAfter)),
            Plain("FUNCSTASH_WORK_QUEUES", Text.Number(options.WorkQueues)),
            Plain("FUNCSTASH_ALLOW_PRIVATE_NETWORKS", Flag(options.AllowPrivateNetworks)),
            new("FUNCSTASH_ALLOWED_NETWORKS", networks.Count == 0 ? "none" : string.Join(", ", networks), Words.Count(networks.Count, "network")),
            Plain("FUNCSTASH_CHECK_HOSTS", Flag(options.ChecksHosts)),
            new("FUNCSTASH_LLM_BASE_URL", options.LlmBaseUrl is { } url ? new Uri(url).GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped) : "none", IsSet(options.LlmBaseUrl)),
            Plain("FUNCSTASH_LLM_API_KEY", IsSet(options.LlmApiKey)),
            Plain("FUNCSTASH_REGION", options.Region),
            Plain("FUNCSTASH_WORKFLOW_MAX_STEPS", Text.Number(flows.MaxSteps)),
            Plain("FUNCSTASH_WORKFLOW_MAX_PARALLEL_STEPS", Text.Number(flows.MaxParallelSteps)),
            Plain("FUNCSTASH_WORKFLOW_MAX_HISTORY_BYTES", Text.Bytes(flows.MaxHistoryBytes)),
            Plain("FUNCSTASH_WORKFLOW_MAX_PAYLOAD_BYTES", Text.Bytes(flows.MaxPayloadBytes)),
            Plain("FUNCSTASH_WORKFLOW_MAX_INVOKE_DEPTH", Text.Number(flows.MaxInvokeDepth)),
            Plain("FUNCSTASH_WORKFLOW_MAX_DELIVERED_BYTES", Text.Bytes(flows.MaxDeliveredBytes)),
        ];
    }

    /// <summary>A secret as it may be seen: its last four characters, where it is long enough to keep the others.</summary>
    public static string Masked(string secret) =>
        DevServer.IsPublic(secret) ? secret : secret.Length >= 16 ? "••••••••" + secret[^4..] : "••••••••";

    private static Setting Plain(string name, string value) => new(name, value, value);

    private static string Long(TimeSpan span) => Text.Duration((long)span.TotalMilliseconds);

    private static string Flag(bool flag) => flag.ToString(CultureInfo.InvariantCulture).ToLowerInvariant();

    private static string IsSet(string? value) => value is null ? "none" : "set";
}
