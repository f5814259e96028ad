using System.Text.Json.Nodes;
using FuncStash.Headers;

namespace FuncStash.Tests.Workflows;

/// <summary>Values that mean nothing are refused in words, to a run under way never with 400, and never answered with 500.</summary>
public sealed class OddValueTests : IAsyncLifetime
{
    private static readonly string[] s_odd =
    [
        "", " ", ".", "..", "/", "//", "?", "%", "%zz", "a/b", "a b", "a|b", "null", "[]", "{}", "\"", "0", "-1", "1e9", "99999999999999999999",
        "http://", "http:///", "https://:0/", "ftp://a.example/", "a.example/flow", "/flow", "file:///etc/passwd", "http://[::1", "http://a b/", "http://user:pw@a.example/", "ünïcode", "\U0001F600",
        "true,false", ",", ",,,", "header[", "a=b", new string('x', 5_000),
    ];

    private readonly TestService _service = new();
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync()
    {
        _flow = await WorkflowEndpoint.StartAsync(_service);
        await _flow.StartAsync("wfr_a", "p");
    }

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData("a.example/flow")]
    [InlineData("/flow")]
    [InlineData("ftp://a.example/flow")]
    [InlineData("http://")]
    public async Task A_workflow_url_that_is_none_is_400_in_words(string url)
    {
        var refused = await _service.CallAsync(
            "POST", "/v2/publish/" + _flow.Url, "p", null, ("Upstash-Workflow-RunId", "wfr_b"), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Url", url));

        Assert.Equal(400, refused.Status);
        Assert.StartsWith("invalid Upstash-Workflow-Url: ", refused.Error, StringComparison.Ordinal);
        Assert.InRange((await _service.CallAsync("POST", "/v2/trigger/" + url.TrimStart('/'), "p")).Status, 400, 404);

        var runs = 0;
        foreach (var isBatch in new[] { false, true })
        {
            var plain = await PlainAsync(isBatch, url);
            Assert.Equal((400, refused.Error), (plain.Status, plain.Error));

            Assert.Equal(isBatch ? 201 : 200, (await PlainAsync(isBatch, "https://seen.example/flow")).Status);
            Assert.Equal(++runs, (await _service.CallAsync("GET", "/v2/workflows/logs?workflowUrl=https://seen.example/flow")).Json["runs"]!.AsArray().Count);
        }
    }

    private Task<TestAnswer> PlainAsync(bool isBatch, string workflowUrl) => isBatch
        ? _service.CallAsync("POST", "/v2/batch/trigger", $$"""[{"destination":"{{_flow.Url}}","headers":{"Upstash-Workflow-Url":"{{workflowUrl}}"} }]""")
        : _service.CallAsync("POST", "/v2/trigger/" + _flow.Url, "p", null, ("Upstash-Workflow-Url", workflowUrl));

    [Theory]
    [InlineData("1ns", 1L)]
    [InlineData("1.5ms", 2L)]
    [InlineData("30s", 30_000L)]
    public async Task A_time_limit_of_a_run_keeps_its_part_of_a_millisecond(string given, long milliseconds)
    {
        var started = await _service.CallAsync("POST", "/v2/trigger/" + _flow.Url, "p", null, ("Upstash-Timeout", given), ("Upstash-Delay", "1h"), ("Upstash-Workflow-RunId", "wfr_t"));

        Assert.Equal(200, started.Status);
        var logged = (await _service.CallAsync("GET", "/v2/events?workflowRunId=wfr_t")).Json["events"]![0]!;
        Assert.Equal(milliseconds, (long?)logged["timeout"]);
    }

    [Theory]
    [InlineData("Upstash-Not-Before", 367, 412)]
    [InlineData("Upstash-Not-Before", 365, 200)]
    [InlineData("Upstash-Delay", 367, 412)]
    [InlineData("Upstash-Delay", 365, 200)]
    public async Task A_sleep_is_as_long_as_a_delay_at_most(string name, int days, int status)
    {
        var value = name == "Upstash-Delay" ? $"{days}d" : $"{(_service.Now / 1000) + (days * 86_400L)}";

        var answer = await _service.CallAsync(
            "POST", "/v2/publish/" + _flow.Url, WorkflowEndpoint.Step(1, "x"), null,
            ("Upstash-Workflow-RunId", "wfr_a"), ("Upstash-Workflow-Init", "false"), ("Upstash-Workflow-Url", _flow.Url), (name, value));

        Assert.True(answer.Status == status, answer.Text);
    }

    [Theory]
    [InlineData("qstash.example/v2/workflows/hooks/u/wfr_a/hook")]
    [InlineData("/v2/workflows/hooks/u/wfr_a/hook")]
    [InlineData("://v2/v2/workflows/hooks/u/wfr_a/hook")]
    public async Task A_webhook_whose_url_its_SDK_made_without_a_scheme_is_told_that_of_the_call(string made)
    {
        var step = new JsonObject
        {
            ["stepId"] = 1, ["stepName"] = "h", ["stepType"] = "CreateWebhook", ["concurrent"] = 1,
            ["out"] = new JsonObject { ["webhookUrl"] = made, ["eventId"] = "hook" }.ToJsonString(),
        };
        Assert.Equal(200, (await _flow.SubmitAsync("wfr_a", step.ToJsonString())).Status);
        await _flow.WaitAsync("wfr_a", 2, "hook");

        var called = await _service.CallAsync("POST", "/v2/workflows/hooks/u/wfr_a/hook", "hello", "", ("Host", "localhost:8080"));
        await _service.DeliverDueAsync();

        Assert.Equal(200, called.Status);
        var waited = JsonNode.Parse(_flow.Deliveries[^1].Entries[^1])!;
        var request = JsonNode.Parse(Convert.FromBase64String((string)waited["out"]!))!;
        Assert.Equal(("http", "localhost:8080", "/v2/workflows/hooks/u/wfr_a/hook"), ((string)request["proto"]!, (string)request["host"]!, (string)request["url"]!));
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task An_odd_header_is_never_answered_with_500(string name)
    {
        foreach (var odd in s_odd)
        {
            foreach (var init in new[] { "true", "false" })
            {
                (string Name, string Value)[] plain =
                [
                    ("Upstash-Workflow-RunId", init == "true" ? "wfr_" + Guid.NewGuid().ToString("N") : "wfr_a"), ("Upstash-Workflow-Init", init),
                    ("Upstash-Workflow-Url", _flow.Url), ("Upstash-Feature-Set", RunFeatures.Current),
                ];
                var headers = plain.Where(header => !header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Append((name, odd)).ToArray();
                await AssertFineAsync("POST", "/v2/publish/" + _flow.Url, WorkflowEndpoint.Step(1, "x"), headers);
            }
            await AssertFineAsync("POST", "/v2/trigger/" + _flow.Url, "p", [(name, odd)]);
            await AssertFineAsync("POST", "/v2/workflows/dlq/resume?dlqIds=1-1000000001", "", [(name, odd)]);
        }
        await AssertListsAsync();
    }

    public static TheoryData<string> Headers => new(
        HeaderTable.Settings.Select(header => header.Name).Where(name => name.StartsWith("Upstash-", StringComparison.Ordinal))
            .Concat(["Upstash-Callback", "Upstash-Failure-Callback", "Upstash-Failure-Callback-Retries", "Upstash-Failure-Callback-Workflow-Runid", "Upstash-Callback-Forward-Upstash-Workflow-Stepid"]).Distinct());

    [Theory]
    [InlineData("body")]
    [InlineData("headers")]
    [InlineData("workflowRunId")]
    [InlineData("workflowUrl")]
    [InlineData("step")]
    public async Task An_odd_invocation_is_412_and_never_500(string name)
    {
        var n = 0;
        foreach (var odd in OddJson())
        {
            var invocation = _flow.InvocationOf("wfr_a", 1, "q");
            invocation[name] = odd?.DeepClone();
            await AssertFineAsync("POST", "/v2/publish/" + _flow.Url, invocation.ToJsonString(), Invoking(n++));
            invocation.Remove(name);
            await AssertFineAsync("POST", "/v2/publish/" + _flow.Url, invocation.ToJsonString(), Invoking(n++));
        }
        foreach (var body in new[] { "", "null", "[]", "1", "\"x\"", "{", "{}" })
            Assert.Equal(412, (await AssertFineAsync("POST", "/v2/publish/" + _flow.Url, body, Invoking(n++))).Status);

        (string, string)[] Invoking(int number) =>
        [
            ("Upstash-Workflow-RunId", $"wfr_odd{number}"), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Invoke", "true"), ("Upstash-Workflow-Url", _flow.Url),
        ];
    }

    [Theory]
    [InlineData("url")]
    [InlineData("timeout")]
    [InlineData("timeoutUrl")]
    [InlineData("timeoutHeaders")]
    [InlineData("step")]
    public async Task An_odd_wait_is_never_500(string name)
    {
        var step = 1;
        foreach (var odd in OddJson())
        {
            var wait = new JsonObject
            {
                ["url"] = _flow.Url, ["timeout"] = "1h", ["timeoutUrl"] = _flow.Url,
                ["timeoutHeaders"] = new JsonObject { ["Upstash-Workflow-RunId"] = new JsonArray("wfr_a") },
                ["step"] = new JsonObject { ["stepId"] = step++, ["stepType"] = "Wait", ["stepName"] = "w", ["concurrent"] = 1 },
            };
            wait[name] = odd?.DeepClone();
            var answer = await AssertFineAsync("POST", "/v2/wait/paid", wait.ToJsonString(), []);
            Assert.NotEqual(400, answer.Status);
        }
        Assert.Equal(201, (await _service.CallAsync("POST", "/v2/notify/paid", "e")).Status);
        await AssertListsAsync();
    }

    [Fact]
    public async Task An_odd_step_is_never_500()
    {
        foreach (var name in new[] { "stepId", "targetStep", "concurrent", "stepName", "stepType", "out", "sleepFor", "waitEventId" })
        {
            foreach (var odd in OddJson())
            {
                var step = JsonNode.Parse(WorkflowEndpoint.Step(1, "x"))!;
                step[name] = odd?.DeepClone();
                var answer = await AssertFineAsync("POST", "/v2/publish/" + _flow.Url, step.ToJsonString(), [("Upstash-Workflow-RunId", "wfr_a")]);
                Assert.NotEqual(400, answer.Status);
            }
        }
        await AssertListsAsync();
    }

    [Theory]
    [InlineData("/v2/workflows/logs")]
    [InlineData("/v2/workflows/events")]
    [InlineData("/v2/workflows/dlq")]
    [InlineData("/v2/waiters/x")]
    public async Task An_odd_parameter_is_never_500(string target)
    {
        foreach (var name in new[] { "cursor", "count", "workflowUrl", "workflowRunId", "workflowCreatedAt", "workflowRuns", "state", "messageId", "label", "host", "path", "fromDate", "toDate", "trimBody", "dlqIds", "responseStatus", "groupBy" })
        {
            foreach (var odd in s_odd)
                await AssertFineAsync("GET", $"{target}?{name}={Uri.EscapeDataString(odd)}", "", []);
        }
    }

    private static IEnumerable<JsonNode?> OddJson() =>
        s_odd.Select(text => (JsonNode?)text).Concat(
        [
            null, 0, -1, 1.5, 1e300, 999_999, 1_000_000, long.MaxValue, true, new JsonArray(), new JsonArray((JsonNode?)null), new JsonArray("x"), new JsonArray(new JsonArray()), new JsonObject(),
            new JsonObject { ["Upstash-Workflow-RunId"] = null }, new JsonObject { ["Upstash-Workflow-RunId"] = new JsonArray() },
            new JsonObject { ["Upstash-Workflow-RunId"] = new JsonArray("wfr_a"), ["x"] = null }, new JsonObject { ["Upstash-Workflow-RunId"] = new JsonArray("wfr_a", null) },
            new JsonObject { ["Upstash-Workflow-RunId"] = "wfr_a", ["Upstash-Retries"] = "x" }, new JsonObject { ["Upstash-Workflow-RunId"] = new JsonArray(1) },
            new JsonObject { ["stepId"] = 7 }, new JsonObject { ["stepId"] = "7" }, new JsonObject { ["stepId"] = 7, ["out"] = new JsonObject() },
        ]);

    // What was taken in is listed and delivered, too.
    private async Task AssertListsAsync()
    {
        await _service.DeliverDueAsync();
        foreach (var target in new[] { "/v2/workflows/logs", "/v2/workflows/events", "/v2/workflows/logs?host=x&path=/y", "/v2/workflows/dlq", "/v2/events", "/v2/waiters/paid" })
            Assert.Equal(200, (await AssertFineAsync("GET", target, "", [])).Status);
    }

    private async Task<TestAnswer> AssertFineAsync(string method, string target, string body, (string, string)[] headers)
    {
        var answer = await _service.CallAsync(method, target, body, null, headers);
        Assert.True(answer.Status < 500, $"{method} {target} {string.Join(", ", headers)} {body} -> {answer.Status} {answer.Text}");
        return answer;
    }
}
