using FuncStash.Headers;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Telemetry;
using FuncStash.UrlGroups;
using FuncStash.Wire;
using Microsoft.Extensions.Primitives;

namespace FuncStash.Http;

/// <summary>Reads a publish out of a request: settings from query and headers, the destination from the raw path.</summary>
internal static class RequestReader
{
    public static async ValueTask<PublishRequest> ReadAsync(
        ApiCall call, string rawDestination, UrlGroupStore groups, FuncStashOptions options, bool isPlainTrigger = false)
    {
        var (destination, parameters) = DestinationPath.Split(rawDestination);
        // A webhook's group can ask for all headers, which only the request at hand has.
        var forwardAll = ResourceName.IsValid(destination)
            && await groups.GetAsync(destination, call.Aborted) is { } group
            && PublishSettingsReader.Parse(group.Headers, options).ForwardsAllHeaders is true;
        var isOfRun = call.Request.Headers.ContainsKey(RunHeaders.RunIdName);
        PublishSettings settings;
        try
        {
            settings = ReadSettings(call, parameters, forwardAll, options);
        }
        catch (QStashException refusal) when (isOfRun && !isPlainTrigger && !RunHeaders.IsTriggerOf(call.Request.Headers[RunHeaders.InitName]))
        {
            throw RunRules.Refused(refusal);
        }
        var most = isPlainTrigger ? options.Workflows.MaxPayloadBytes : isOfRun ? options.Workflows.MaxRequestBytes : options.MaxBodyBytes;
        var body = await call.BodyAsync(most);
        return new PublishRequest(destination, settings, body) { CallerIp = call.CallerIp, Trace = TraceContext.Of(call.Request) };
    }

    /// <summary>Query parameters first, so that a real header of the same name wins (protocol#destinations-in-paths).</summary>
    public static PublishSettings ReadSettings(
        ApiCall call, IEnumerable<KeyValuePair<string, string>> parameters, bool forwardAll, FuncStashOptions options)
    {
        var reader = new PublishSettingsReader(options);
        foreach (var parameter in parameters.GroupBy(p => p.Key, p => p.Value, StringComparer.OrdinalIgnoreCase))
            reader.ReadLines(parameter.Key, [.. parameter]);
        var headers = call.Request.Headers;
        foreach (var (name, values) in headers)
            reader.ReadLines(name, values);
        if (reader.ForwardsAllHeaders ?? forwardAll)
        {
            foreach (var (name, values) in headers)
                ForwardHeader(reader, call, name, values);
        }
        return reader.ToNewSettings();
    }

    // Without the publish's own settings, the service's token, and what belongs to the connection.
    private static void ForwardHeader(PublishSettingsReader reader, ApiCall call, string name, StringValues values)
    {
        if (PublishSettingsReader.IsSetting(name) || name.StartsWith(':')
            || name.ToLowerInvariant() is "host" or "content-length" or "connection" or "transfer-encoding" or "content-type"
            || (call.TokenInHeader && name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)))
            return;
        foreach (var value in values)
        {
            if (value is not null)
                reader.ForwardHeader(name, value);
        }
    }
}
