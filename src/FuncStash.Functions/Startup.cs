using System.Globalization;
using System.Text.Json;

namespace FuncStash.Functions;

/// <summary>What must be right before the app serves anybody.</summary>
internal static class Startup
{
    // After the longest attempt its outcome must still be stored.
    private static readonly TimeSpan s_settling = TimeSpan.FromMinutes(1);

    private static readonly JsonDocumentOptions s_hostFile = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <exception cref="FormatException">A setting that would lose deliveries or let strangers in; the message names it.</exception>
    public static void Check(FuncStashOptions options, Func<string, string?> setting)
    {
        CheckCredentials(options, setting);
        CheckTimeout(options.MaxTimeout, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "host.json")));
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
        using var host = JsonDocument.Parse(hostFile, s_hostFile);
        if (!host.RootElement.TryGetProperty("functionTimeout", out var value) || value.GetString() is not { } text
            || !TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var limit) || limit < TimeSpan.Zero)
            return;
        if (longest + s_settling > limit)
        {
            throw new FormatException(
                $"FUNCSTASH_MAX_TIMEOUT: {longest}: must be at least {s_settling} shorter than functionTimeout in host.json, {limit}");
        }
    }
}
