
namespace FuncStash.Tests.Publishing;

/// <summary>A publish that says nowhere where to is refused in the words that older official clients look for.</summary>
public sealed class EmptyDestinationTests
{
    private const string Words = "a non-empty destination must be provided";

    [Theory]
    [InlineData("/v2/publish")]
    [InlineData("/v2/publish/")]
    [InlineData("/v2/publish/?upstash-retries=1")]
    [InlineData("/v2/publish?upstash-retries=1")]
    [InlineData("/v2/publish/?a=b")]
    [InlineData("/v2/enqueue/q")]
    [InlineData("/v2/enqueue/q/")]
    [InlineData("/v2/schedules")]
    [InlineData("/v2/schedules/")]
    [InlineData("/v2/trigger")]
    [InlineData("/v2/trigger/")]
    [InlineData("/v2/trigger/?a=b")]
    public async Task In_the_path(string target)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("POST", target, "x", null, target.StartsWith("/v2/s", StringComparison.Ordinal) ? [("Upstash-Cron", "* * * * *")] : []);

        Assert.Equal((400, Words), (answer.Status, answer.Error));
        Assert.Equal(401, (await service.CallAsync("POST", target, "x", "")).Status);
    }

    [Fact]
    public async Task In_a_batch()
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("POST", "/v2/batch",
            """[{"destination":""},{"destination":null},{},{"destination":" "},{"destination":"","queue":"q"},{"destination":"","headers":{"Upstash-Cron":"* * * * *"}},{"destination":"https://example.com/"}]""");

        Assert.Equal(200, answer.Status);
        var items = answer.Json.AsArray();
        Assert.Equal(Enumerable.Repeat(Words, 6), items.Take(6).Select(item => (string)item!["error"]!));
        Assert.NotNull(items[6]!["messageId"]);
    }

    [Fact]
    public async Task Other_routes_that_lack_their_last_part_are_what_they_were()
    {
        await using var service = new TestService();

        Assert.Equal(200, (await service.CallAsync("GET", "/v2/schedules")).Status);
        Assert.Equal(405, (await service.CallAsync("GET", "/v2/publish")).Status);
        Assert.Equal(404, (await service.CallAsync("POST", "/v2/enqueue")).Status);
        Assert.Equal(404, (await service.CallAsync("POST", "/v2/enqueue/")).Status);
    }
}
