using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Headers;

namespace FuncStash.Tests.Workflows;

/// <summary>A call that the endpoint makes of the service.</summary>
internal sealed record FlowCall(string Method, string Target, string Body, (string Name, string Value)[] Headers);

/// <summary>
/// The official SDK's way through a workflow, in small: from the history that a delivery brings, the one call that follows
/// from it, or nothing. It takes note of every history, and holds each against all before.
/// </summary>
/// <param name="url">Its own URL.</param>
/// <param name="callUrl">That of a third party, which answers with what it got.</param>
internal sealed class FlowEndpoint(string url, string callUrl)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RandomFlow> _flows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _delivered = new(StringComparer.Ordinal), _longest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _failures = new(StringComparer.Ordinal);

    /// <summary>The runs whose failure function was called.</summary>
    public HashSet<string> Failed { get; } = new(StringComparer.Ordinal);

    /// <summary>Begins a run.</summary>
    public FlowCall Trigger(string run, RandomFlow flow)
    {
        lock (_lock)
            _flows[run] = flow;
        return new FlowCall("POST", "/v2/publish/" + url, run,
        [
            .. OfStep(run, init: "true"), ("Upstash-Retries", $"{RandomFlow.Retries}"), ("Upstash-Retry-Delay", "100"),
            ("Upstash-Failure-Callback", url), ("Upstash-Failure-Callback-Workflow-Runid", run), ("Upstash-Failure-Callback-Feature-Set", RunFeatures.Current),
            ("Upstash-Failure-Callback-Forward-Upstash-Workflow-Failure-Callback", "true"),
        ]);
    }

    public static FlowCall Notify(string run, int step) => new("POST", $"/v2/notify/{run}/{EventOf(run, step)}", $"event{step}", []);

    /// <summary>Takes a delivery; gives what the endpoint asks of the service before it answers 200, or null for nothing.</summary>
    /// <exception cref="InvalidOperationException">The step fails: the answer is 500.</exception>
    public FlowCall? Take(string run, string message, string body, Func<string, string?> header)
    {
        lock (_lock)
        {
            if (header("Upstash-Workflow-Failure-Callback") is not null)
            {
                Failed.Add(run);
                return null;
            }
            if (header("Upstash-Workflow-Callback") is not null)
                return Called(run, body, header);
            NoteHistory(run, message, body);
            return Next(run, _flows[run], JsonNode.Parse(body)!.AsArray());
        }
    }

    // It ends with the delivery's own entry, is the same each time, and of any two one goes on where the other ends.
    private void NoteHistory(string run, string message, string body)
    {
        var ids = JsonNode.Parse(body)!.AsArray().Select(entry => (string)entry!["messageId"]!).ToList();
        Assert.Equal(message, ids[^1]);
        Assert.Equal(ids.Count, ids.Distinct().Count());
        if (_delivered.TryGetValue(message, out var before))
            Assert.Equal(before, body);
        _delivered[message] = body;
        var longest = _longest.GetValueOrDefault(run, "[]");
        var (some, more) = body.Length < longest.Length ? (body, longest) : (longest, body);
        Assert.StartsWith(some[..^1], more, StringComparison.Ordinal);
        _longest[run] = more;
    }

    private FlowCall? Next(string run, RandomFlow flow, JsonArray history)
    {
        var steps = history.Skip(1).Select(entry => JsonNode.Parse(Convert.FromBase64String((string)entry!["body"]!))!).ToList();
        Assert.Equal(run, Encoding.UTF8.GetString(Convert.FromBase64String((string)history[0]!["body"]!)));
        // A step is in it once.
        Assert.Equal(steps.Count, steps.Select(step => (Id(step, "stepId"), Id(step, "targetStep"))).Distinct().Count());
        var (results, first) = (new List<string>(), 1);
        foreach (var stage in flow.Stages)
        {
            var own = steps.Where(step => Math.Max(Id(step, "stepId"), Id(step, "targetStep")) is var id && id >= first && id < first + stage.Length).ToList();
            if (stage.Length == 1 && own.Count == 0)
                return Do(run, stage[0], first, 1);
            if (stage.Length > 1 && own.Count == 0)
                return Plan(run, stage, first);
            if (stage.Length > 1 && own.Count < 2 * stage.Length)
                return Id(steps[^1], "targetStep") is > 0 and var planned ? Do(run, stage[planned - first], planned, stage.Length, isPlanned: true) : null;
            results.AddRange(own.Where(step => Id(step, "stepId") > 0).OrderBy(step => Id(step, "stepId")).Select(ResultOf));
            first += stage.Length;
        }
        return new FlowCall("DELETE", $"/v2/workflows/runs/{run}?cancel=false", string.Join(' ', results), []);
    }

    private FlowCall Do(string run, FlowStep step, int id, int concurrent, bool isPlanned = false)
    {
        if (step.Does == StepDoes.Fail && (step.Number > RandomFlow.Retries || (_failures[$"{run} {id}"] = _failures.GetValueOrDefault($"{run} {id}") + 1) <= step.Number))
            throw new InvalidOperationException("the step fails");
        return step.Does switch
        {
            StepDoes.Sleep => Batch(run, [(Text(id, "Sleep", concurrent, "slept"), isPlanned ? 0 : step.Number)]),
            StepDoes.Call => Call(run, id, concurrent),
            StepDoes.Event => Wait(run, id, concurrent, "10d"),
            StepDoes.Timeout => Wait(run, id, concurrent, $"{step.Number}s"),
            StepDoes.Invoke => Invoke(run, step, id, concurrent),
            _ => Batch(run, [(Text(id, "Run", concurrent, $"r{id}"), 0)]),
        };
    }

    private FlowCall Plan(string run, FlowStep[] stage, int first) => Batch(run,
        [.. stage.Select((step, i) => (Text(0, "Plan", stage.Length, null, first + i), step.Does == StepDoes.Sleep ? step.Number : 0))]);

    private FlowCall Batch(string run, (string Body, int Delay)[] items) => new("POST", "/v2/batch", new JsonArray([.. items.Select(item =>
    {
        var headers = new JsonObject(OfStep(run).Select(h => KeyValuePair.Create<string, JsonNode?>(h.Name, h.Value)));
        if (item.Delay > 0)
            headers["Upstash-Delay"] = $"{item.Delay}s";
        return (JsonNode)new JsonObject { ["destination"] = url, ["headers"] = headers, ["body"] = item.Body };
    })]).ToJsonString(), []);

    private FlowCall Call(string run, int id, int concurrent) => new("POST", "/v2/publish/" + callUrl, $"called{id}",
    [
        ("Upstash-Retries", "2"), ("Upstash-Retry-Delay", "100"), ("Upstash-Feature-Set", "WF_NoDelete,InitialBody"), ("Upstash-Workflow-Init", "false"),
        ("Upstash-Workflow-RunId", run), ("Upstash-Workflow-Url", url), ("Upstash-Workflow-CallType", "toCallback"), ("Upstash-Callback", url),
        ("Upstash-Callback-Workflow-RunId", run), ("Upstash-Callback-Workflow-CallType", "fromCallback"), ("Upstash-Callback-Workflow-Init", "false"),
        ("Upstash-Callback-Workflow-Url", url), ("Upstash-Callback-Feature-Set", RunFeatures.Current),
        ("Upstash-Callback-Forward-Upstash-Workflow-Callback", "true"), ("Upstash-Callback-Forward-Upstash-Workflow-StepId", $"{id}"),
        ("Upstash-Callback-Forward-Upstash-Workflow-StepName", $"s{id}"), ("Upstash-Callback-Forward-Upstash-Workflow-StepType", "Call"),
        ("Upstash-Callback-Forward-Upstash-Workflow-Concurrent", $"{concurrent}"),
    ]);

    private FlowCall Called(string run, string body, Func<string, string?> header)
    {
        var (id, concurrent) = (int.Parse(header("Upstash-Workflow-StepId")!, CultureInfo.InvariantCulture), header("Upstash-Workflow-Concurrent")!);
        var answer = JsonNode.Parse(body)!;
        Assert.Equal(200, (int)answer["status"]!);
        var got = Encoding.UTF8.GetString(Convert.FromBase64String((string)answer["body"]!));
        return new FlowCall("POST", "/v2/publish/" + url, Text(id, "Call", int.Parse(concurrent, CultureInfo.InvariantCulture), got), OfStep(run));
    }

    private FlowCall Wait(string run, int id, int concurrent, string timeout) => new("POST", "/v2/wait/" + EventOf(run, id), new JsonObject
    {
        ["url"] = url, ["timeout"] = timeout, ["timeoutUrl"] = url,
        ["timeoutHeaders"] = new JsonObject(OfStep(run).Select(h => KeyValuePair.Create<string, JsonNode?>(h.Name, new JsonArray(h.Value)))),
        ["step"] = new JsonObject { ["stepId"] = id, ["stepType"] = "Wait", ["stepName"] = $"s{id}", ["concurrent"] = concurrent },
    }.ToJsonString(), OfStep(run));

    // Of another id each time, as the SDK has it: of all these runs one is started.
    private FlowCall Invoke(string run, FlowStep step, int id, int concurrent)
    {
        var invoked = $"{run}-{id}-{_flows.Count}";
        _flows[invoked] = new RandomFlow([[new FlowStep(StepDoes.Fail, step.Number)]]);
        var body = new JsonObject
        {
            ["body"] = invoked, ["workflowRunId"] = run, ["workflowUrl"] = url,
            ["headers"] = new JsonObject(OfStep(run).Select(h => KeyValuePair.Create<string, JsonNode?>(h.Name, new JsonArray(h.Value)))),
            ["step"] = new JsonObject { ["stepId"] = id, ["stepType"] = "Invoke", ["stepName"] = $"s{id}", ["concurrent"] = concurrent },
        };
        return new FlowCall(
            "POST", "/v2/publish/" + url, body.ToJsonString(),
            [.. OfStep(invoked, init: "true"), ("Upstash-Workflow-Invoke", "true"), ("Upstash-Retries", $"{RandomFlow.Retries}"), ("Upstash-Retry-Delay", "100")]);
    }

    private static string InvokedOf(JsonNode result) => (bool)result["isFailed"]! ? "failed" : (string)result["body"]!;

    private static string EventOf(string run, int step) => $"e-{run}-{step}";

    private static string Text(int id, string type, int concurrent, string? result, int target = 0)
    {
        var step = new JsonObject { ["stepId"] = id, ["stepName"] = $"s{Math.Max(id, target)}", ["stepType"] = type, ["concurrent"] = concurrent };
        if (result is not null)
            step["out"] = result;
        if (target > 0)
            step["targetStep"] = target;
        return step.ToJsonString();
    }

    private static int Id(JsonNode step, string name) => (int?)step[name] ?? 0;

    private static string ResultOf(JsonNode step) =>
        (bool?)step["waitTimeout"] == true ? "timeout"
        : (string)step["stepType"]! == "Invoke" ? InvokedOf(JsonNode.Parse((string)step["out"]!)!)
        : (string)step["stepType"]! == "Wait" ? Encoding.UTF8.GetString(Convert.FromBase64String((string)step["out"]!))
        : (string)step["out"]!;

    private (string Name, string Value)[] OfStep(string run, string init = "false") =>
    [
        ("Upstash-Method", "POST"), ("Upstash-Workflow-RunId", run), ("Upstash-Workflow-Init", init), ("Upstash-Workflow-Url", url),
        ("Upstash-Feature-Set", RunFeatures.Current), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"),
    ];
}
