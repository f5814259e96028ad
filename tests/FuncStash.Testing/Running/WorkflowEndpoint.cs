using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Headers;
using Microsoft.AspNetCore.Http;

namespace FuncStash.Testing;

/// <summary>A workflow's endpoint on this machine, and the calls that its SDK makes; when it makes them, the test says.</summary>
internal sealed class WorkflowEndpoint : IAsyncDisposable
{
    private readonly ConcurrentQueue<Delivery> _deliveries = new();
    private readonly TestService _service;
    private StandIn _server = null!;

    private WorkflowEndpoint(TestService service) => _service = service;

    /// <summary>The status of its answers.</summary>
    public int Status { get; set; } = 200;

    /// <summary>False to answer as something that is no workflow.</summary>
    public bool IsWorkflow { get; set; } = true;

    public string Url => _server.Url + "/flow";

    /// <summary>What was delivered, in order.</summary>
    public IReadOnlyList<Delivery> Deliveries => [.. _deliveries];

    public static async Task<WorkflowEndpoint> StartAsync(TestService service)
    {
        var endpoint = new WorkflowEndpoint(service);
        endpoint._server = await StandIn.StartAsync(endpoint.AnswerAsync);
        return endpoint;
    }

    /// <summary>Triggers a run.</summary>
    public Task<TestAnswer> TriggerAsync(string runId, string payload, params (string Name, string Value)[] headers) => _service.CallAsync(
        "POST", "/v2/publish/" + Url, payload, null,
        [
            ("Upstash-Workflow-RunId", runId), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Url", Url),
            ("Upstash-Feature-Set", RunFeatures.Current), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"), .. headers,
        ]);

    /// <summary>Triggers a run and delivers its payload.</summary>
    public async Task StartAsync(string runId, string payload, params (string Name, string Value)[] headers)
    {
        Assert.Equal(200, (await TriggerAsync(runId, payload, headers)).Status);
        await _service.DeliverDueAsync();
    }

    /// <summary>Submits a step's result, or whatever else is JSON.</summary>
    public Task<TestAnswer> SubmitAsync(string runId, string step, params (string Name, string Value)[] headers) =>
        _service.CallAsync("POST", "/v2/publish/" + Url, step, null, [.. OfStep(runId), .. headers]);

    public Task<TestAnswer> FinishAsync(string runId, string result) =>
        _service.CallAsync("DELETE", $"/v2/workflows/runs/{runId}?cancel=false", result);

    /// <summary>Lets a step of a run wait for an event.</summary>
    public Task<TestAnswer> WaitAsync(string runId, int step, string name, string timeout = "1h")
    {
        var wait = new JsonObject
        {
            ["url"] = Url, ["timeout"] = timeout, ["timeoutUrl"] = Url, ["timeoutHeaders"] = HeadersOf(runId),
            ["step"] = new JsonObject { ["stepId"] = step, ["stepType"] = "Wait", ["stepName"] = "w", ["concurrent"] = 1 },
        };
        return _service.CallAsync("POST", "/v2/wait/" + name, wait.ToJsonString());
    }

    /// <summary>Lets a step of a run invoke another one.</summary>
    public Task<TestAnswer> InvokeAsync(string runId, int step, string invoked, string payload = "q") => _service.CallAsync(
        "POST", "/v2/publish/" + Url, InvocationOf(runId, step, payload).ToJsonString(), null,
        [
            ("Upstash-Workflow-RunId", invoked), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Invoke", "true"),
            ("Upstash-Workflow-Url", Url), ("Upstash-Feature-Set", RunFeatures.Current), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"),
        ]);

    public JsonObject InvocationOf(string runId, int step, string payload) => new()
    {
        ["body"] = payload, ["headers"] = HeadersOf(runId), ["workflowRunId"] = runId, ["workflowUrl"] = Url,
        ["step"] = new JsonObject { ["stepId"] = step, ["stepType"] = "Invoke", ["stepName"] = "i", ["concurrent"] = 1 },
    };

    private JsonObject HeadersOf(string runId) =>
        new(OfStep(runId).Select(h => KeyValuePair.Create<string, JsonNode?>(h.Name, new JsonArray(h.Value))));

    /// <summary>The run as <c>/v2/workflows/logs</c> shows it.</summary>
    public async Task<JsonNode> LogAsync(string runId) =>
        Assert.Single((await _service.CallAsync("GET", $"/v2/workflows/logs?workflowRunId={Uri.EscapeDataString(runId)}")).Json["runs"]!.AsArray())!;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    public static string Step(int id, string result) => $$"""{"stepId":{{id}},"stepName":"s{{id}}","stepType":"Run","out":"{{result}}","concurrent":1}""";

    private (string Name, string Value)[] OfStep(string runId) =>
    [
        ("Upstash-Workflow-RunId", runId), ("Upstash-Workflow-Init", "false"), ("Upstash-Workflow-Url", Url),
        ("Upstash-Feature-Set", RunFeatures.Current), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"),
    ];

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        _deliveries.Enqueue(new Delivery(new HeaderDictionary(context.Request.Headers.ToDictionary()), body));
        context.Response.StatusCode = Status;
        if (IsWorkflow)
            context.Response.Headers["Upstash-Workflow-Sdk-Version"] = context.Response.Headers["Upstash-workflow-sdk"] = "v1.3.2";
        await context.Response.WriteAsync($"answered {Status}");
    }
}

/// <summary>A request that the endpoint got.</summary>
internal sealed record Delivery(IHeaderDictionary Headers, string Body)
{
    public JsonArray History => JsonNode.Parse(Body)!.AsArray();

    /// <summary>What each entry of the history holds.</summary>
    public IReadOnlyList<string> Entries => [.. History.Select(entry => Encoding.UTF8.GetString(Convert.FromBase64String((string)entry!["body"]!)))];

    /// <summary>The message of the history's last entry.</summary>
    public string Last => (string)History[^1]!["messageId"]!;
}
