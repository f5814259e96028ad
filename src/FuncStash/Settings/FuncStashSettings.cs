using System.Globalization;
using System.Net;
using System.Text;
using FuncStash.Storage;
using FuncStash.Wire;

namespace FuncStash.Settings;

/// <summary>Reads options from an operator's settings (environment variables, app settings).</summary>
public static class FuncStashSettings
{
    // An attempt is timed by one of .NET's timers, which end at 49 days; other times are added to dates, which end too.
    private static readonly TimeSpan s_longestTimeout = TimeSpan.FromDays(7), s_longest = TimeSpan.FromDays(36_500);

    /// <param name="setting">Gives a setting by name; null or empty when it is not set.</param>
    /// <param name="allowPrivateNetworks">Whether deliveries may go to private networks where no setting says so.</param>
    /// <exception cref="FormatException">A setting has a value it cannot have; the message names it.</exception>
    public static FuncStashOptions Read(Func<string, string?> setting, bool allowPrivateNetworks = false)
    {
        var defaults = new FuncStashOptions();
        if (List(setting("QSTASH_TOKEN")).Intersect(List(setting("QSTASH_READONLY_TOKEN"))).Any())
            throw new FormatException("QSTASH_READONLY_TOKEN: one of its tokens is in QSTASH_TOKEN too, which may do everything");
        return new FuncStashOptions
        {
            Tokens = List(setting("QSTASH_TOKEN")) is { Length: > 0 } tokens ? tokens : defaults.Tokens,
            ReadOnlyTokens = List(setting("QSTASH_READONLY_TOKEN")),
            CurrentSigningKey = Key(setting, "QSTASH_CURRENT_SIGNING_KEY") ?? defaults.CurrentSigningKey,
            NextSigningKey = Key(setting, "QSTASH_NEXT_SIGNING_KEY") ?? defaults.NextSigningKey,
            MaxBodyBytes = Number(setting, "FUNCSTASH_MAX_BODY_BYTES", defaults.MaxBodyBytes, 1, 64 * 1024 * 1024),
            MaxBatchBytes = Number(setting, "FUNCSTASH_MAX_BATCH_BYTES", defaults.MaxBatchBytes, 1, 1024 * 1024 * 1024),
            MaxRetries = Number(setting, "FUNCSTASH_MAX_RETRIES", defaults.MaxRetries, 0, 10_000),
            MaxTimeout = Duration(setting, "FUNCSTASH_MAX_TIMEOUT", defaults.MaxTimeout, s_longestTimeout),
            MaxDelay = Duration(setting, "FUNCSTASH_MAX_DELAY", defaults.MaxDelay),
            LogRetention = Duration(setting, "FUNCSTASH_LOG_RETENTION", defaults.LogRetention),
            DlqRetention = Duration(setting, "FUNCSTASH_DLQ_RETENTION", defaults.DlqRetention),
            SweepAfter = Duration(setting, "FUNCSTASH_SWEEP_AFTER", defaults.SweepAfter),
            WorkQueues = Number(setting, "FUNCSTASH_WORK_QUEUES", defaults.WorkQueues, 1, QueueSpread.Most),
            AllowPrivateNetworks = Flag(setting, "FUNCSTASH_ALLOW_PRIVATE_NETWORKS", allowPrivateNetworks),
            AllowedNetworks = Array.ConvertAll(List(setting("FUNCSTASH_ALLOWED_NETWORKS")), Network),
            ChecksHosts = Flag(setting, "FUNCSTASH_CHECK_HOSTS", defaults.ChecksHosts),
            LlmBaseUrl = BaseUrl(setting, "FUNCSTASH_LLM_BASE_URL"),
            LlmApiKey = setting("FUNCSTASH_LLM_API_KEY") is { Length: > 0 } key ? key : null,
            Region = setting("FUNCSTASH_REGION") switch
            {
                null or "" => defaults.Region,
                "EU-CENTRAL-1" or "US-EAST-1" => setting("FUNCSTASH_REGION")!,
                var other => throw new FormatException($"FUNCSTASH_REGION: {other}: must be EU-CENTRAL-1 or US-EAST-1"),
            },
            Workflows = Workflows(setting, defaults.Workflows),
        };
    }

    private static WorkflowLimits Workflows(Func<string, string?> setting, WorkflowLimits defaults) => new()
    {
        MaxSteps = Number(setting, "FUNCSTASH_WORKFLOW_MAX_STEPS", defaults.MaxSteps, 1, 100_000),
        MaxParallelSteps = Number(setting, "FUNCSTASH_WORKFLOW_MAX_PARALLEL_STEPS", defaults.MaxParallelSteps, 1, 1000),
        MaxHistoryBytes = Number(setting, "FUNCSTASH_WORKFLOW_MAX_HISTORY_BYTES", (int)defaults.MaxHistoryBytes, 1024, 1024 * 1024 * 1024),
        MaxPayloadBytes = Number(setting, "FUNCSTASH_WORKFLOW_MAX_PAYLOAD_BYTES", defaults.MaxPayloadBytes, 1024, 64 * 1024 * 1024),
        MaxInvokeDepth = Number(setting, "FUNCSTASH_WORKFLOW_MAX_INVOKE_DEPTH", defaults.MaxInvokeDepth, 1, 1000),
        MaxDeliveredBytes = Number(setting, "FUNCSTASH_WORKFLOW_MAX_DELIVERED_BYTES", defaults.MaxDeliveredBytes, 1024, 64 * 1024 * 1024),
    };

    private static string[] List(string? text) =>
        text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static string? Key(Func<string, string?> setting, string name)
    {
        var text = setting(name);
        if (string.IsNullOrEmpty(text))
            return null;
        return Encoding.UTF8.GetByteCount(text) is var bytes && bytes >= FuncStashOptions.MinSigningKeyBytes ? text : throw new FormatException(
            $"{name}: a signing key has at least {FuncStashOptions.MinSigningKeyBytes} bytes, this one {bytes}: "
            + "use sig_ and 28 random letters or digits");
    }

    private static bool Flag(Func<string, string?> setting, string name, bool byDefault)
    {
        var text = setting(name);
        if (string.IsNullOrEmpty(text))
            return byDefault;
        return bool.TryParse(text, out var flag) ? flag : throw new FormatException($"{name}: {text}: must be true or false");
    }

    private static IPNetwork Network(string text)
    {
        if (IPNetwork.TryParse(text, out var network))
            return network;
        return IPAddress.TryParse(text, out var address)
            ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : throw new FormatException($"FUNCSTASH_ALLOWED_NETWORKS: {text}: must be a network such as 10.0.0.0/8 or fd12:3456::/32");
    }

    private static string? BaseUrl(Func<string, string?> setting, string name)
    {
        var text = setting(name)?.TrimEnd('/');
        if (string.IsNullOrEmpty(text))
            return null;
        return HttpUrl.IsValid(text, out var error) ? text : throw new FormatException($"{name}: {text}: {error}");
    }

    private static int Number(Func<string, string?> setting, string name, int byDefault, int min, int max)
    {
        var text = setting(name);
        if (string.IsNullOrEmpty(text))
            return byDefault;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max
            ? value
            : throw new FormatException($"{name}: {text}: must be a number from {min} to {max}");
    }

    private static TimeSpan Duration(Func<string, string?> setting, string name, TimeSpan byDefault, TimeSpan? longest = null)
    {
        var text = setting(name);
        if (string.IsNullOrEmpty(text))
            return byDefault;
        if (!DurationText.TryParse(text, out var value) || value <= TimeSpan.Zero)
            throw new FormatException($"{name}: {text}: must be a duration such as 30s, 15m or 7d");
        var most = longest ?? s_longest;
        return value <= most ? value : throw new FormatException($"{name}: {text}: must be at most {most.TotalDays:0}d");
    }
}
