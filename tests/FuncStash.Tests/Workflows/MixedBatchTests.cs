using System.Text.Json.Nodes;
using FuncStash.Headers;

namespace FuncStash.Tests.Workflows;

/// <summary>Batches of parts of several runs and of plain messages (protocol#workflow-headers).</summary>
public sealed class MixedBatchTests : IAsyncLifetime
{
    private readonly TestService _service = new();
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync()
    {
        _flow = await WorkflowEndpoint.StartAsync(_service);
        await _flow.StartAsync("wfr_a", "p");
        await _flow.StartAsync("wfr_b", "p");
    }

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_stored_of_one_that_is_refused_for_any_of_its_items()
    {
        JsonObject[] good = [Invocation("wfr_a", 1, "wfr_child"), Item("wfr_b", false, WorkflowEndpoint.Step(1, "one")), Item("wfr_new", true, "q"), Plain()];
        (JsonObject Bad, int Status)[] bad =
        [
            (Item("wfr_over", false, WorkflowEndpoint.Step(1, "x")), 400), (Item("wfr_b", false, WorkflowEndpoint.Step(2, "x"), ("Upstash-Retries", "1000000")), 412),
            (Item("wfr_c", true, "x", ("Upstash-Workflow-Url", "nonsense")), 400), (Item("wfr_c", true, "x", ("Upstash-Not-Before", "4102444800")), 400),
            (Invocation("wfr_over", 1, "wfr_d"), 400), (Invocation("wfr_a", 0, "wfr_d"), 412),
        ];
        foreach (var (item, status) in bad)
        {
            foreach (var items in new[] { [.. good, item], (JsonObject[])[item, .. good] })
                Assert.Equal((item.ToJsonString(), status), (item.ToJsonString(), (await BatchAsync(items)).Status));
        }
        await _service.DeliverDueAsync();

        Assert.Equal(2, _flow.Deliveries.Count);
        Assert.Equal(2, (await _service.CallAsync("GET", "/v2/workflows/logs")).Json["runs"]!.AsArray().Count);
        foreach (var run in new[] { "wfr_a", "wfr_b" })
            Assert.Single((await _service.CallAsync("GET", "/v2/workflows/runs/" + run)).Json.AsArray());
    }

    [Fact]
    public async Task Each_item_has_its_own_answer_and_sent_again_nothing_of_a_run_is_done_twice()
    {
        JsonObject[] items =
        [
            Plain(), Item("wfr_b", false, WorkflowEndpoint.Step(1, "one")), Plain("no url"), Item("wfr_new", true, "q"), Invocation("wfr_a", 1, "wfr_child"),
        ];

        var first = await BatchAsync(items);
        var again = await BatchAsync(items);
        await _service.DeliverDueAsync();

        Assert.Equal((200, 200), (first.Status, again.Status));
        var (one, two) = (first.Json.AsArray(), again.Json.AsArray());
        Assert.Equal(5, one.Count);
        Assert.NotNull(one[2]!["error"]);
        foreach (var i in new[] { 1, 3, 4 })
            Assert.Equal((string)one[i]!["messageId"]!, (string)two[i]!["messageId"]!);
        Assert.True((bool)two[3]!["deduplicated"]!);
        Assert.Equal(4, (await _service.CallAsync("GET", "/v2/workflows/logs")).Json["runs"]!.AsArray().Count);
        Assert.Equal(2, (await _service.CallAsync("GET", "/v2/workflows/runs/wfr_b")).Json.AsArray().Count);
    }

    private Task<TestAnswer> BatchAsync(JsonObject[] items) =>
        _service.CallAsync("POST", "/v2/batch", new JsonArray([.. items.Select(item => item.DeepClone())]).ToJsonString());

    private JsonObject Plain(string? destination = null) => new() { ["destination"] = destination ?? _flow.Url + "/plain", ["body"] = "plain", ["headers"] = new JsonObject { ["Upstash-Delay"] = "1h" } };

    private JsonObject Item(string run, bool isTrigger, string body, params (string Name, string Value)[] more)
    {
        var headers = new JsonObject
        {
            ["Upstash-Workflow-RunId"] = run, ["Upstash-Workflow-Init"] = isTrigger ? "true" : "false", ["Upstash-Workflow-Url"] = _flow.Url,
            ["Upstash-Feature-Set"] = RunFeatures.Current, ["Upstash-Forward-Upstash-Workflow-Sdk-Version"] = "1",
        };
        foreach (var (name, value) in more)
            headers[name] = value;
        return new JsonObject { ["destination"] = _flow.Url, ["headers"] = headers, ["body"] = body };
    }

    private JsonObject Invocation(string run, int step, string child) =>
        Item(child, true, _flow.InvocationOf(run, step, "q").ToJsonString(), ("Upstash-Workflow-Invoke", "true"));
}
