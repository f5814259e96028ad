using System.Globalization;
using System.Text.Json;
using FuncStash.Settings;

namespace FuncStash.Functions;

/// <summary>What must be right before the app serves anybody.</summary>
internal static class Startup
{
    // After the longest attempt its outcome must still be stored; the last try to store it takes some seconds itself.
    private static readonly TimeSpan s_settling = TimeSpan.FromMinutes(1), s_lastTry = TimeSpan.FromSeconds(30);

    private static readonly JsonDocumentOptions s_hostFile = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The app's options: the operator's settings, and what follows from host.json and from the files that the process may open.</summary>
    /// <exception cref="FormatException">A setting that would lose deliveries or let strangers in; the message names it.</exception>
    public static FuncStashOptions Options(Func<string, string?> setting, FileShares shares)
    {
        var options = FuncStashSettings.Read(setting);
        var hostFile = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "host.json"));
        CheckCredentials(options, setting);
        CheckTimeout(options.MaxTimeout, hostFile);
        return shares.Limit(WithPlaces(options, hostFile)) with { SettlingTime = SettlingTime(options.MaxTimeout, hostFile) };
    }

    /// <summary>
    /// As many attempts as its queue trigger may have under way and still ask for more (newBatchThreshold), and half as many to one
    /// destination: so those of others always find a place.
    /// </summary>
    /// <remarks>
    /// A batch comes on top of those, and ends at once where it finds no place. Were all of that taken by destinations that hang, the
    /// trigger would ask for nothing until they end. Where host.json says nothing, the least that the host's defaults come to.
    /// </remarks>
    internal static FuncStashOptions WithPlaces(FuncStashOptions options, string hostFile)
    {
        using var host = JsonDocument.Parse(hostFile, s_hostFile);
        int Number(int byDefault, params string[] path)
        {
            var at = host.RootElement;
            return path.All(name => at.ValueKind == JsonValueKind.Object && at.TryGetProperty(name, out at)) ? at.GetInt32() : byDefault;
        }

        var places = Math.Max(1, Number(8, "extensions", "queues", "newBatchThreshold"));
        return options with { MaxParallelism = places, DestinationParallelism = Math.Max(1, places / 2) };
    }

    /// <summary>The public development credentials are for a developer's machine only.</summary>
    internal static void CheckCredentials(FuncStashOptions options, Func<string, string?> setting)
    {
        var isDevelopment = string.Equals(setting("AZURE_FUNCTIONS_ENVIRONMENT"), "Development", StringComparison.OrdinalIgnoreCase);
        if (!isDevelopment && DevServer.IsUsedBy(options))
        {
            throw new FormatException(
                "this app can be reached from other machines, and the default token and signing keys are public: "
                + "set QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY");
        }
    }

    /// <summary>An attempt that outlasts its function is cut off before it is settled, and then made again.</summary>
    internal static void CheckTimeout(TimeSpan longest, string hostFile)
    {
        if (FunctionTimeout(hostFile) is { } limit && limit >= TimeSpan.Zero && longest + s_settling > limit)
        {
            throw new FormatException(
                $"FUNCSTASH_MAX_TIMEOUT: {longest}: must be at least {s_settling} shorter than functionTimeout in host.json, {limit}");
        }
    }

    /// <summary>
    /// How long an outcome may be held on to while the storage does not take it: what its function has left after the longest
    /// attempt. One that outlasts its time takes all others of its instance along.
    /// </summary>
    internal static TimeSpan SettlingTime(TimeSpan longest, string hostFile) => FunctionTimeout(hostFile) switch
    {
        null => s_lastTry,
        { } limit when limit < TimeSpan.Zero => Timeout.InfiniteTimeSpan,
        { } limit => limit - longest - s_lastTry,
    };

    // Negative: no limit. Null: the host's default, which hangs on the plan.
    private static TimeSpan? FunctionTimeout(string hostFile)
    {
        using var host = JsonDocument.Parse(hostFile, s_hostFile);
        return host.RootElement.TryGetProperty("functionTimeout", out var value) && value.GetString() is { } text
            && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }
}
