using FuncStash.Http;

namespace FuncStash.Tests.Http;

/// <summary>What a path answers to methods it has not, and a base URL that is not quite right.</summary>
public sealed class MethodsAndPathsTests
{
    [Fact]
    public async Task A_HEAD_is_answered_as_its_GET_without_the_body()
    {
        await using var service = new TestService();
        foreach (var target in new[] { "/health", "/v2/queues", "/v2/keys", "/v2/messages/none", "/v2/queues/none", "/v2/events?count=x" })
        {
            var get = await service.CallAsync("GET", target);
            var head = await service.CallAsync("HEAD", target);

            Assert.Equal((get.Status, "", get.ContentType), (head.Status, head.Text, head.ContentType));
            // A list is written as it is read: nobody knows its length before (RFC 9110 §9.3.2 lets a HEAD do without).
            Assert.Equal(get.Headers.GetValueOrDefault("Content-Length"), head.Headers.GetValueOrDefault("Content-Length"));
            Assert.Equal(target == "/v2/queues", !get.Headers.ContainsKey("Content-Length"));
        }
        Assert.Equal(401, (await service.CallAsync("HEAD", "/v2/queues", token: "")).Status);
    }

    [Theory]
    [InlineData("BREW", "/v2/queues", "POST, GET, HEAD")]
    [InlineData("OPTIONS", "/v2/queues/a", "GET, DELETE, HEAD")]
    [InlineData("HEAD", "/v2/publish/https://api.example.com", "POST")]
    [InlineData("GET", "/v2/schedules/a/pause", "PATCH, POST")]
    [InlineData("get", "/v2/keys", "GET, HEAD")]
    public async Task A_method_that_a_path_has_not_is_405_and_names_those_it_has(string method, string target, string allowed)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync(method, target);

        Assert.Equal((405, allowed), (answer.Status, answer.Headers["Allow"]));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("api.example.com:443")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("http://api.example.com")]
    [InlineData("/v2//queues")]
    public async Task A_target_that_is_no_path_of_the_service_is_not_found(string target)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("OPTIONS", target);

        Assert.True(answer.Status == 404, answer.Text);
        Assert.StartsWith("no such route: OPTIONS ", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("http://any.example/")]
    public async Task A_base_URL_may_end_in_slashes(string more)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("POST", more + "/v2/publish/https://api.example.com//a//b?c=//d&upstash-delay=1h");

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("https://api.example.com//a//b?c=//d", (await service.MessageAsync((string)answer.Json["messageId"]!))!.Message.Url);
        Assert.Equal("[]", (await service.CallAsync("GET", more + "/v2/queues")).Text);
    }

    [Theory]
    [InlineData("POST", "/qstash/v2/publish/https://api.example.com/v2/x")]
    [InlineData("GET", "/v2/v2/queues")]
    [InlineData("GET", "/a/b/V2/queues")]
    [InlineData("POST", "/api/llm/v1/chat/completions")]
    [InlineData("DELETE", "/a/v2/queues")]
    public async Task A_base_URL_with_a_path_is_told_what_it_must_be(string method, string target)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync(method, target, "", null, ("Host", "localhost:8080"));

        Assert.True(answer.Status == 404, answer.Text);
        Assert.EndsWith(
            ": QSTASH_URL must be the server's address without a path, such as http://localhost:8080", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nothing")]
    [InlineData("/v3/publish/https://api.example.com/v2/queues-of-mine")]
    [InlineData("/v2/nothing")]
    public async Task Any_other_path_is_just_not_found(string target)
    {
        await using var service = new TestService();

        Assert.Equal($"no such route: GET {target}", (await service.CallAsync("GET", target)).Error);
    }
}
