using FuncStash.Http;
using FuncStash.Messages;

namespace FuncStash.Tests.Contract;

/// <summary>Every endpoint, parameter and header of the protocol, by the names that the coverage table has.</summary>
internal static class ContractItems
{
    // protocol#headers; a star stands for the names an application chooses.
    private static readonly string[] s_settings =
    [
        "Content-Type", "Content-Encoding", "Upstash-Method", "Upstash-Timeout", "Upstash-Retries", "Upstash-Retry-Delay", "Upstash-Delay",
        "Upstash-Not-Before", "Upstash-Label", "Upstash-Flow-Control-Key", "Upstash-Flow-Control-Value",
        "Upstash-Deduplication-Id", "Upstash-Content-Based-Deduplication", "Upstash-Callback", "Upstash-Failure-Callback",
        "Upstash-Callback-*", "Upstash-Failure-Callback-*", "Upstash-Redact-Fields", "Upstash-Queue-Name", "Upstash-Cron",
        "Upstash-Schedule-Id", "Upstash-Header-Forward", "Upstash-Forward-*", "Authorization", "qstash_token",
    ];

    // protocol#delivered-headers.
    private static readonly string[] s_delivered =
    [
        "User-Agent", "Upstash-Message-Id", "Upstash-Retried", "Upstash-Retries", "Upstash-Max-Retries", "Upstash-Retry-Delay",
        "Upstash-Flow-Control-Key", "Upstash-Flow-Control-Value", "Upstash-Signature", "Upstash-Caller-Ip",
        "Upstash-Topic-Name", "Upstash-Schedule-Id", "Upstash-Region",
    ];

    // protocol#attempts, protocol#retry-after.
    private static readonly string[] s_answered =
    [
        "Retry-After", "X-RateLimit-Reset", "X-RateLimit-Reset-Requests", "X-RateLimit-Reset-Tokens",
        "RateLimit-Reset", "RateLimit", "Upstash-NonRetryable-Error", "Location",
    ];

    public static IEnumerable<string> All(IEnumerable<IResource> resources)
    {
        var routes = resources.SelectMany(resource => resource.Routes).Select(route => $"{route.Method} {route.Pattern}");
        string[] paging = ["cursor", "count", "order"];
        var names = MessageFilter.Names.ToList();
        var deadLetters = names.Except(["host", "path"]).Concat(paging).Concat(["dlqIds", "responseStatus", "source", "error"]).ToList();
        return routes
            .Concat(Of("GET /v2/events", [.. names, .. paging, "messageIds", "state"]))
            .Concat(Of("DELETE /v2/messages", [.. names, "cursor", "count", "messageIds"]))
            .Concat(Of("GET /v2/dlq", deadLetters))
            .Concat(Of("DELETE /v2/dlq", deadLetters))
            .Concat(Of("POST /v2/dlq/retry", deadLetters))
            .Concat(Of("GET /v2/flowControl", ["search"]))
            .Concat(Of("POST /v2/flowControl/{key}/pin", ["parallelism", "rate", "period"]))
            .Concat(Of("POST /v2/flowControl/{key}/unpin", ["parallelism", "rate"]))
            .Concat(s_settings.Select(name => "request " + name))
            .Concat(s_delivered.Select(name => "delivery " + name))
            .Concat(s_answered.Select(name => "response " + name));
    }

    private static IEnumerable<string> Of(string route, IEnumerable<string> parameters) =>
        parameters.Select(parameter => $"{route} ?{parameter}");
}
