using System.Text.RegularExpressions;
using CsCheck;
using FuncStash.Headers;
using FuncStash.Http;

namespace FuncStash.Tests.Fuzzing;

/// <summary>A request near the ones that the API knows: its routes, parameters, headers and bodies, each also wrong.</summary>
internal sealed partial record FuzzRequest(string Method, string Target, (string Name, string Value)[] Headers, string Body)
{
    private static readonly Gen<string> s_name = FuzzText.Near("orders", "acme", "daily", "scd_daily", "a.b-c_d");

    private static readonly Gen<string> s_destination = FuzzText.Near(
        "https://example.com/hook", "http://127.0.0.1:9/x?y=z", "orders", "https%3A%2F%2Fexample.com%2Fa", "api/llm", "https:/example.com");

    private static readonly Gen<string> s_value = FuzzText.Near(
        "1", "10", "10s", "true", "false", "orders", "acme", "ACTIVE", "latestFirst", "1772366400000", "msg_7YoJxFpwkEy5zBp378JgvD", "https://example.com/hook",
        "pow(2, retried) * 1000", "rate=5, parallelism=2, period=1m", "*/5 * * * *", "body", "messageId");

    private static readonly Gen<string> s_parameter = FuzzText.Near(
        [
            .. HeaderTable.Settings.Select(header => header.Name.ToLowerInvariant()), "count", "cursor", "order", "messageId", "messageIds", "dlqIds", "url", "urlGroup",
            "queueName", "scheduleId", "label", "flowControlKey", "state", "fromDate", "toDate", "host", "groupBy", "responseStatus", "callerIP", "topicName", "qstash_token",
        ]);

    private static readonly Gen<string> s_header = FuzzText.Near(
        [.. HeaderTable.Settings.Select(header => header.Name), "Upstash-Forward-X-A", "Upstash-Callback-Retries", "Content-Type", "X-Note", "Authorization"]);

    private static readonly Gen<string> s_body = FuzzText.Near(
        """[{"destination":"https://example.com/a","headers":{"Upstash-Delay":"10s","Upstash-Retries":"1"},"body":"hello"},{"queue":"orders","destination":"orders"}]""",
        """{"endpoints":[{"name":"one","url":"https://example.com/1"},{"url":"https://example.com/2"}]}""", """{"dlqIds":["a","b"],"messageIds":["msg_x"]}""",
        """{"queueName":"orders","parallelism":3,"paused":true}""", """{"parallelism":2,"rate":5,"period":"1m"}""", """{"n":1.5e300,"t":[null,true,"\u00e9\ud800"]}""",
        """{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":false}""", "", "hello", "[]", "{}");

    /// <summary>Requests to these routes.</summary>
    public static Gen<FuzzRequest> To(IEnumerable<Route> routes) => Gen.Select(
        Gen.OneOf([.. routes.Select(route => TargetOf(route.Pattern).Select(target => (Method: route.Method == Route.AnyMethod ? "POST" : route.Method, target)))]),
        Gen.Frequency((9, Gen.Const("")), (1, Gen.OneOf("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "X-Y"))),
        Gen.Select(s_parameter, s_value, (name, value) => $"{name}={value}").Array[0, 3],
        Gen.Select(s_header, s_value).Array[0, 4],
        s_body,
        (route, other, query, headers, body) => new FuzzRequest(
            other.Length > 0 ? other : route.Method, route.target + (query.Length == 0 ? "" : "?" + string.Join('&', query)),
            [.. headers.Where(header => Wire.HeaderName.IsValid(header.Item1) && Wire.HeaderValue.IsValid(header.Item2))], body));

    public override string ToString() =>
        $"{Method} {Target} {string.Join(" | ", Headers.Select(header => $"{header.Name}: {header.Value}"))} {Body}";

    private static Gen<string> TargetOf(string pattern)
    {
        var parts = Hole().Split(pattern);
        var holes = Hole().Matches(pattern).Select(hole => hole.Value.EndsWith("*}", StringComparison.Ordinal) ? s_destination : s_name).ToArray();
        return holes.Select((hole, n) => hole.Select(value => value + parts[n + 1]))
            .Aggregate(Gen.Const(parts[0]), (left, right) => Gen.Select(left, right, (a, b) => a + b));
    }

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Hole();
}
