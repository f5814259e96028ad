using System.Text;
using FuncStash.Access;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Wire;
using FuncStash.Workflows;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Http;

/// <summary><c>/v2/workflows/hooks/{user}/{run}/{event}</c>: URLs that runs give to strangers, who have no token (protocol#webhooks).</summary>
public sealed class HooksResource(RunEvents events, FuncStashOptions options) : IResource
{
    // Of the connection, or of the way here.
    private static readonly string[] s_left = ["Connection", "Content-Length", "Host", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Expect"];

    public IEnumerable<Route> Routes => [new(Route.AnyMethod, "/v2/workflows/hooks/{user}/{run}/{event}", AccessLevel.None, CallAsync)];

    private async Task CallAsync(ApiCall call)
    {
        var body = await call.BodyAsync(options.Workflows.MaxPayloadBytes);
        await events.CallAsync(call.Values[1], call.Values[2], origin => Describe(call, body, origin), call.Aborted);
        await call.OkAsync();
    }

    /// <summary>The call as the SDK makes a request of it again.</summary>
    /// <param name="call">The call.</param>
    /// <param name="body">Its body.</param>
    /// <param name="origin">What the SDK knows the service by; null when it has not said.</param>
    private static byte[] Describe(ApiCall call, byte[] body, string? origin)
    {
        var request = call.Request;
        var header = new HeaderMap();
        foreach (var (name, values) in request.Headers)
        {
            // The SDK makes bytes of the characters of a value, and could not of others.
            if (!s_left.Contains(name, StringComparer.OrdinalIgnoreCase) && values.All(value => value is not null && value.All(c => c is '\t' or (>= ' ' and <= '\u00FF'))))
                header.Add(HeaderName.Canonical(name), [.. values.Select(value => value!)]);
        }
        var (proto, host, path) = Split(origin ?? $"{request.Scheme}://{request.Host}");
        return new StringifiedJson().StartObject()
            .String("method", request.Method)
            .Header("header", header)
            .Base64("body", body)
            .String("proto", proto)
            .String("host", host)
            .String("url", path + call.Target.RawFrom(0))
            .EndObject().ToArray();
    }

    private static (string Proto, string Host, string Path) Split(string origin)
    {
        var scheme = origin.IndexOf("://", StringComparison.Ordinal);
        var rest = origin[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? (origin[..scheme], rest, "") : (origin[..scheme], rest[..slash], rest[slash..]);
    }
}
