using Microsoft.AspNetCore.Http.Features;

namespace FuncStash.Tests.Delivery;

/// <summary>The request line and the headers that a destination gets for unusual URLs and headers (protocol#delivered-headers).</summary>
public sealed class RequestTargetTests
{
    [Theory]
    [InlineData("?next=/home", "/?next=/home")]
    [InlineData("?", "/?")]
    [InlineData("#part/of/page", "/")]
    [InlineData("/app?x=1#/route?y", "/app?x=1")]
    [InlineData("/größe/€?q=😀&p=%7e", "/gr%C3%B6%C3%9Fe/%E2%82%AC?q=%F0%9F%98%80&p=%7e")]
    [InlineData("?q=ü", "/?q=%C3%BC")]
    [InlineData("/a/../b/%7e|\"<>{}^`", "/a/../b/%7e|\"<>{}^`")]
    public async Task A_URL_becomes_a_valid_request_target_and_is_otherwise_left_alone(string rest, string target)
    {
        await using var service = new TestService();
        var received = new List<string>();
        await using var destination = await StandIn.StartAsync(context =>
        {
            received.Add(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);
            return Task.CompletedTask;
        });
        var item = new System.Text.Json.Nodes.JsonObject { ["destination"] = destination.Url + rest, ["body"] = "x" };
        var answer = await service.CallAsync("POST", "/v2/batch", $"[{item.ToJsonString()}]");
        await service.DeliverDueAsync();

        Assert.Equal(target, Assert.Single(received));
        var shown = await service.CallAsync("GET", $"/v2/messages/{(string)answer.Json[0]!["messageId"]!}");
        Assert.Equal(destination.Url + rest, (string?)shown.Json["url"]);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("DELETE")]
    public async Task A_forwarded_header_about_content_arrives_without_a_body_too(string method)
    {
        await using var service = new TestService();
        var received = new List<(string Method, string? Language, string? Modified)>();
        await using var destination = await StandIn.StartAsync(context =>
        {
            var headers = context.Request.Headers;
            received.Add((context.Request.Method, headers.ContentLanguage, headers.LastModified));
            return Task.CompletedTask;
        });
        await service.PublishAsync(
            destination.Url + "/x", "", ("Upstash-Method", method), ("Upstash-Forward-Content-Language", "en"),
            ("Upstash-Forward-Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"));
        await service.DeliverDueAsync();

        Assert.Equal([(method, (string?)"en", (string?)"Sun, 06 Nov 1994 08:49:37 GMT")], received);
    }
}
