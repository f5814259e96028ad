using System.Text.Json.Nodes;

namespace FuncStash.Tests.Workflows;

/// <summary>What a run asked to be redacted is not shown, wherever it stands (protocol#redaction).</summary>
public sealed class RunRedactionTests : IAsyncLifetime
{
    private const string Secret = "the-secret";

    private readonly TestService _service = new();
    private WorkflowEndpoint _flow = null!;

    public async ValueTask InitializeAsync() => _flow = await WorkflowEndpoint.StartAsync(_service);

    public async ValueTask DisposeAsync()
    {
        await _flow.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData("header")]
    [InlineData("header[Set-Cookie]")]
    public async Task Headers_that_a_call_was_answered_with_are_redacted(string fields)
    {
        await _flow.StartAsync("wfr_a", "p", ("Upstash-Redact-Fields", fields));
        await _flow.SubmitAsync("wfr_a", CallResult());

        var step = (await _flow.LogAsync("wfr_a"))["steps"]![1]!["steps"]![0]!;

        Assert.DoesNotContain(Secret, step.ToJsonString(), StringComparison.Ordinal);
        Assert.StartsWith("REDACTED:", (string)step["callResponseHeaders"]!["set-cookie"]![0]!, StringComparison.Ordinal);
        var result = JsonNode.Parse((string)step["out"]!)!;
        Assert.Equal((200, "shown"), ((int)result["status"]!, (string)result["body"]!));
        Assert.Equal("shown", (string)step["callResponseBody"]!);
        Assert.Equal(fields == "header", ((string)step["callResponseHeaders"]!["content-type"]![0]!).StartsWith("REDACTED:", StringComparison.Ordinal));
        // The endpoint gets what was answered.
        await _service.DeliverDueAsync();
        Assert.Contains(Secret, _flow.Deliveries[^1].Entries[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_redaction_they_are_shown_as_they_came()
    {
        await _flow.StartAsync("wfr_a", "p", ("Upstash-Redact-Fields", "body"));
        await _flow.SubmitAsync("wfr_a", CallResult());

        var step = (await _flow.LogAsync("wfr_a"))["steps"]![1]!["steps"]![0]!;

        Assert.Equal(Secret, (string)step["callResponseHeaders"]!["set-cookie"]![0]!);
        Assert.StartsWith("REDACTED:", (string)step["callResponseBody"]!, StringComparison.Ordinal);
        Assert.StartsWith("REDACTED:", (string)step["out"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_of_a_wait_are_redacted()
    {
        await _flow.StartAsync("wfr_a", "p", ("Upstash-Redact-Fields", "header[Authorization]"));
        var wait = new JsonObject
        {
            ["url"] = _flow.Url,
            ["timeoutHeaders"] = new JsonObject { ["Upstash-Workflow-RunId"] = new JsonArray("wfr_a"), ["Upstash-Forward-Authorization"] = new JsonArray(Secret) },
            ["step"] = new JsonObject { ["stepId"] = 1, ["stepType"] = "Wait", ["stepName"] = "w" },
        };
        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/wait/paid", wait.ToJsonString())).Status);

        var waiters = await _service.CallAsync("GET", "/v2/waiters/paid");
        var notified = await _service.CallAsync("POST", "/v2/notify/paid", "e");
        await _service.DeliverDueAsync();

        foreach (var answer in new[] { waiters.Json[0]!, notified.Json[0]!["waiter"]! })
            Assert.StartsWith("REDACTED:", (string)answer["timeoutHeaders"]!["Upstash-Forward-Authorization"]![0]!, StringComparison.Ordinal);
        Assert.Equal("wfr_a", (string)waiters.Json[0]!["timeoutHeaders"]!["Upstash-Workflow-RunId"]![0]!);
        Assert.Equal(Secret, _flow.Deliveries[^1].Headers["Authorization"]);
    }

    private static string CallResult()
    {
        var result = new JsonObject
        {
            ["status"] = 200, ["body"] = "shown",
            ["header"] = new JsonObject { ["content-type"] = new JsonArray("text/plain"), ["set-cookie"] = new JsonArray(Secret) },
        };
        return new JsonObject { ["stepId"] = 1, ["stepName"] = "c", ["stepType"] = "Call", ["out"] = result.ToJsonString(), ["concurrent"] = 1 }.ToJsonString();
    }
}
