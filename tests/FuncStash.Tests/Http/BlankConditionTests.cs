namespace FuncStash.Tests.Http;

/// <summary>A condition of blanks in a bulk call is refused: ignoring it would widen the call (protocol#filters).</summary>
public sealed class BlankConditionTests
{
    [Theory]
    [InlineData("DELETE", "/v2/messages?messageIds=%20", null)]
    [InlineData("DELETE", "/v2/messages?messageIds=,", null)]
    [InlineData("DELETE", "/v2/messages?messageIds=%2C%20", null)]
    [InlineData("DELETE", "/v2/messages?messageIds=%C2%A0", null)]
    [InlineData("DELETE", "/v2/messages", """{"messageIds":[" "]}""")]
    [InlineData("DELETE", "/v2/messages", """{"messageIds":","}""")]
    [InlineData("DELETE", "/v2/dlq?responseStatus=,", null)]
    [InlineData("DELETE", "/v2/dlq?dlqIds=%20", null)]
    [InlineData("POST", "/v2/dlq/retry?responseStatus=%20", null)]
    [InlineData("DELETE", "/v2/workflows/dlq?responseStatus=,", null)]
    [InlineData("DELETE", "/v2/workflows/runs?workflowRunIds=,", null)]
    public async Task It_is_400_and_nothing_is_done(string method, string path, string? body)
    {
        await using var service = new TestService();
        var id = await service.PublishAsync("https://example.com/", "hello", ("Upstash-Delay", "1h"));

        var answer = await service.CallAsync(method, path, body ?? "");

        Assert.Equal(400, answer.Status);
        Assert.EndsWith("it has no value", (string?)answer.Json["error"], StringComparison.Ordinal);
        Assert.False((await service.MessageAsync(id))!.Ended);
    }
}
