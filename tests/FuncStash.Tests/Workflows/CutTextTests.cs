using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Wire;

namespace FuncStash.Tests.Workflows;

/// <summary>Texts that were cut within a character: JSON escapes half of a surrogate pair.</summary>
public sealed class CutTextTests : IAsyncLifetime
{
    private readonly TestService _service = new();
    private WorkflowEndpoint _endpoint = null!;

    public async ValueTask InitializeAsync() => _endpoint = await WorkflowEndpoint.StartAsync(_service);

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData("""{"a":"\ud83d"}""", """{"a":"\ufffd"}""")]
    [InlineData("""{"\uDE00":1}""", """{"\ufffd":1}""")]
    [InlineData("""{"a":"\ud83d\ude00\ud83d!"}""", """{"a":"\ud83d\ude00\ufffd!"}""")]
    [InlineData("""{"a":"\\ud83d"}""", """{"a":"\\ud83d"}""")]
    [InlineData("""{"a":"\\\ud83d\n"}""", """{"a":"\\\ufffd\n"}""")]
    public void Each_half_is_the_replacement_character_and_all_else_stays(string written, string read)
    {
        using var document = WholeText.Parse(Encoding.UTF8.GetBytes(written));
        Assert.Equal(JsonNode.Parse(read)!.ToJsonString(), JsonNode.Parse(document.RootElement.GetRawText())!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"stepId":1,"stepName":"Charge \ud83d","stepType":"Run","out":"1","concurrent":1}""")]
    [InlineData("""{"stepId":1,"stepName":"a","stepType":"\ud83d","out":"1","concurrent":1}""")]
    [InlineData("""{"stepId":1,"stepName":"a","stepType":"Run","out":"\ud83d","concurrent":1}""")]
    [InlineData("""{"stepId":1,"stepName":"a","\ud83d":2,"stepType":"Run","out":"1","concurrent":1}""")]
    public async Task A_step_is_taken_as_it_came_and_the_runs_are_listed(string step)
    {
        await _endpoint.StartAsync("wfr_cut", "{}");

        Assert.Equal(200, (await _endpoint.SubmitAsync("wfr_cut", step)).Status);

        await _service.DeliverDueAsync();
        Assert.Equal(step, _endpoint.Deliveries[^1].Entries[^1]);
        Assert.Equal(2, (await _endpoint.LogAsync("wfr_cut"))["steps"]!.AsArray().Count);
        Assert.Equal(200, (await _service.CallAsync("GET", "/v2/workflows/events?groupBy=workflowRunId")).Status);
    }

    [Fact]
    public async Task A_step_that_waits_or_invokes_is_taken()
    {
        await _endpoint.StartAsync("wfr_cut", "{}");
        var wait = $$"""
            {"url":"{{_endpoint.Url}}","timeout":"1h","timeoutUrl":"{{_endpoint.Url}}","timeoutHeaders":{"Upstash-Workflow-RunId":["wfr_cut"]},
             "step":{"stepId":1,"stepType":"Wait","stepName":"w \ud83d","concurrent":1} }
            """;
        Assert.Equal(200, (await _service.CallAsync("POST", "/v2/wait/event", wait)).Status);
        Assert.Equal(412, (await _service.CallAsync("POST", "/v2/wait/event", wait.Replace("\"1h\"", "\"\\ud83d\"", StringComparison.Ordinal))).Status);
    }

    [Fact]
    public async Task A_batch_item_with_a_broken_header_name_is_refused_alone()
    {
        var answer = await _service.CallAsync("POST", "/v2/batch", $$$"""
            [{"destination":"{{{_endpoint.Url}}}","headers":{"\ud800":"1"}},{"destination":"{{{_endpoint.Url}}}"}]
            """);

        Assert.Equal(200, answer.Status);
        Assert.NotNull(answer.Json[0]!["error"]);
        Assert.NotNull(answer.Json[1]!["messageId"]);
    }

    [Theory]
    [InlineData("wfr_é")]
    [InlineData("wfr_a/b")]
    [InlineData("wfr_a?b")]
    [InlineData("wfr_a%2Fb")]
    [InlineData("..")]
    public async Task A_run_id_under_which_no_run_could_end_is_refused(string id)
    {
        var answer = await _endpoint.TriggerAsync(id, "{}");
        Assert.Equal(400, answer.Status);
        Assert.StartsWith("invalid Upstash-Workflow-R", answer.Error, StringComparison.Ordinal);
        Assert.Equal(200, (await _endpoint.TriggerAsync("wfr_a b|c", "{}")).Status);
    }
}
