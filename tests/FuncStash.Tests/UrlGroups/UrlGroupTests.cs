using System.Text.Json.Nodes;
using FuncStash.Messages;
using FuncStash.Tests.Admission;

namespace FuncStash.Tests.UrlGroups;

/// <summary>URL groups over HTTP (protocol#url-groups).</summary>
public sealed class UrlGroupTests
{
    private static Task<(int Status, JsonNode? Json)> AddAsync(LiveService service, string endpoints) =>
        service.SendAsync("POST", "/v2/topics/g/endpoints", $$"""{"endpoints":[{{endpoints}}]}""");

    private static async Task<string> EndpointsAsync(LiveService service) =>
        (await service.SendAsync("GET", "/v2/topics/g")).Json!["endpoints"]!.ToJsonString();

    [Fact]
    public async Task Endpoints_come_in_order_are_known_by_name_or_URL_and_the_last_one_takes_the_group_along()
    {
        await using var service = await LiveService.StartAsync();
        Assert.Equal("[]", (await service.SendAsync("GET", "/v2/topics")).Json!.ToJsonString());
        await AddAsync(service, """{"name":"First endpoint","url":"https://one.example"},{"url":"https://two.example"}""");
        await AddAsync(service, """{"name":"First endpoint","url":"https://1.example"},{"url":"https://two.example"},{"url":"https://three.example"}""");
        Assert.Equal(
            """[{"name":"First endpoint","url":"https://1.example"},{"url":"https://two.example"},{"url":"https://three.example"}]""",
            await EndpointsAsync(service));
        await AddAsync(service, """{"name":"b","url":"https://two.example"}""");

        Task<(int Status, JsonNode? Json)> RemoveAsync(string endpoints) =>
            service.SendAsync("DELETE", "/v2/topics/g/endpoints", $$"""{"endpoints":[{{endpoints}}]}""");
        Assert.Equal(200, (await RemoveAsync("""{"name":"First endpoint"},{"url":"https://three.example"},{"name":"none"}""")).Status);
        Assert.Equal("""[{"name":"b","url":"https://two.example"}]""", await EndpointsAsync(service));
        Assert.Single((await service.SendAsync("GET", "/v2/topics")).Json!.AsArray());
        Assert.Equal(400, (await RemoveAsync("{}")).Status);
        Assert.Equal(200, (await RemoveAsync("""{"url":"https://two.example"}""")).Status);
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/topics/g")).Status);
        Assert.Equal(404, (await service.SendAsync("POST", "/v2/publish/g", "x")).Status);
        Assert.Equal(200, (await service.SendAsync("DELETE", "/v2/topics/g")).Status);
    }

    [Theory]
    [InlineData("""{"name":"x"}""")]
    [InlineData("""{"url":"ftp://x"}""")]
    [InlineData("""{"url":""}""")]
    [InlineData("")]
    public async Task A_bad_endpoint_is_refused_and_makes_no_group(string endpoints)
    {
        await using var service = await LiveService.StartAsync();
        Assert.Equal(400, (await AddAsync(service, endpoints)).Status);
        Assert.Equal("[]", (await service.SendAsync("GET", "/v2/topics")).Json!.ToJsonString());
    }

    [Fact]
    public async Task A_publish_goes_to_each_endpoint_with_an_answer_for_each()
    {
        await using var service = await LiveService.StartAsync();
        service.Receiver.Answer = (path, _) => Task.FromResult(path == "/a" ? 500 : 200);
        await AddAsync(service, $$"""{"name":"A","url":"{{service.Receiver.Url("/a")}}"},{"url":"{{service.Receiver.Url("/b")}}"}""");
        var (status, json) = await service.SendAsync("POST", "/v2/publish/g", "hello", ("Upstash-Retries", "0"));

        Assert.Equal(200, status);
        Assert.Equal([service.Receiver.Url("/a"), service.Receiver.Url("/b")], json!.AsArray().Select(m => (string)m!["url"]!));
        await service.RunNowAsync();
        Assert.All(service.Receiver.Arrivals, a => Assert.Equal("hello", a.Body));
        var first = (await service.SendAsync("GET", "/v2/messages/" + (string)json[0]!["messageId"]!)).Json!;
        Assert.Equal(("g", "A"), ((string)first["topicName"]!, (string)first["endpointName"]!));
        var dead = (await service.SendAsync("GET", "/v2/dlq")).Json!["messages"]!.AsArray();
        Assert.Equal("g", (string)Assert.Single(dead)!["topicName"]!);
    }

    [Fact]
    public async Task Default_headers_are_weaker_than_the_requests_own()
    {
        await using var service = await LiveService.StartAsync();
        Assert.Equal(404, (await service.SendAsync("PATCH", "/v2/topics/g", """{"headers":{"Upstash-Retries":"3"}}""")).Status);
        await AddAsync(service, $$"""{"url":"{{service.Receiver.Url("/a")}}"}""");
        Assert.Equal(400, (await service.SendAsync("PATCH", "/v2/topics/g", """{"headers":{"Upstash-Retries":"x"}}""")).Status);
        Assert.Equal(200, (await service.SendAsync("PATCH", "/v2/topics/g", """
            {"headers":{"Upstash-Retries":"7","Upstash-Method":["PUT"],"Upstash-Forward-One":"group","Upstash-Forward-Two":"group"}}
            """)).Status);

        // What a patch does not name stays.
        Assert.Equal(200, (await service.SendAsync("PATCH", "/v2/topics/g", "{}")).Status);

        var (_, json) = await service.SendAsync("POST", "/v2/publish/g", "x", ("Upstash-Retries", "1"), ("Upstash-Forward-One", "own"));
        var message = (await service.SendAsync("GET", "/v2/messages/" + (string)json![0]!["messageId"]!)).Json!;
        Assert.Equal((1, "PUT"), ((int)message["maxRetries"]!, (string)message["method"]!));
        await service.RunNowAsync();
        var arrival = Assert.Single(service.Receiver.Arrivals);
        Assert.Equal(("own", "group"), (arrival.Headers["One"], arrival.Headers["Two"]));
    }

    [Fact]
    public async Task A_webhook_is_forwarded_with_its_own_headers_and_without_the_token()
    {
        await using var service = await LiveService.StartAsync();
        await AddAsync(service, $$"""{"url":"{{service.Receiver.Url("/hook")}}"}""");
        await service.SendAsync("PATCH", "/v2/topics/g", """{"headers":{"Upstash-Header-Forward":["true"]}}""");
        await service.SendAsync("POST", "/v2/publish/g", "x", ("X-Event", "push"), ("Content-Type", "application/x-hook"));
        await service.RunNowAsync();
        var arrival = Assert.Single(service.Receiver.Arrivals);
        Assert.Equal(("push", "application/x-hook"), (arrival.Headers["X-Event"], arrival.Headers["Content-Type"]));
        Assert.False(arrival.Headers.ContainsKey("Authorization"));
    }

    [Fact]
    public async Task Endpoints_added_at_once_are_all_kept_and_messages_survive_the_group()
    {
        await using var service = await LiveService.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AddAsync(service, $$"""{"url":"{{service.Receiver.Url($"/{i}")}}"}""")));
        var (_, json) = await service.SendAsync("POST", "/v2/publish/g", "x", ("Upstash-Delay", "10s"));
        Assert.Equal(20, json!.AsArray().Count);
        await service.SendAsync("DELETE", "/v2/topics/g");
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 20);
    }

    [Fact]
    public async Task Default_headers_are_shown_as_they_can_be_given()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/topics/shown/endpoints", """{"endpoints":[{"url":"https://example.com/"}]}""");
        await service.CallAsync("PATCH", "/v2/topics/shown", """{"headers":{"Upstash-Retries":"5"}}""");

        var shown = await service.CallAsync("GET", "/v2/topics/shown/headers");

        Assert.Equal("""{"headers":{"Upstash-Retries":["5"]}}""", shown.Json.ToJsonString());
        Assert.Equal(200, (await service.CallAsync("PATCH", "/v2/topics/shown", shown.Text)).Status);
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/topics/none/headers")).Status);
    }

    [Fact]
    public async Task What_a_publish_says_beats_each_default_of_the_group_even_where_it_says_no()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/topics/g/endpoints", """{"endpoints":[{"url":"https://api.example.com"}]}""");
        await service.CallAsync("PATCH", "/v2/topics/g", """
            {"headers":{"Upstash-Content-Based-Deduplication":"true","Upstash-Header-Forward":"true","Upstash-Callback":"https://cb.example.com",
            "Upstash-Callback-Retries":"4","Upstash-Callback-Forward-Q":"group","Upstash-Failure-Callback-Retries":"5"}}
            """);
        (string, string)[] no = [("Upstash-Content-Based-Deduplication", "false"), ("Upstash-Header-Forward", "false"), ("X-Own", "1")];

        var plain = await MessageAsync("a");
        Assert.Equal("1", plain.Header["X-Own"]![0]);
        Assert.Equal(202, (await service.CallAsync("POST", "/v2/publish/g", "a", null, ("X-Own", "1"))).Status);
        var mine = await MessageAsync("a", [
            .. no, ("Upstash-Callback-Retries", "9"), ("Upstash-Callback-Forward-X", "own"), ("Upstash-Failure-Callback", "https://failed.example.com")]);

        Assert.Null(mine.Header["X-Own"]);
        Assert.Equal("https://cb.example.com", mine.Callback!.Url);
        Assert.Equal(
            "Upstash-Forward-Q=group Upstash-Forward-X=own Upstash-Retries=9",
            string.Join(' ', mine.Callback.Settings.Select(one => $"{one.Key}={one.Value[0]}").Order()));
        Assert.Equal(("https://failed.example.com", "5"), (mine.FailureCallback!.Url, mine.FailureCallback.Settings["Upstash-Retries"]![0]));
        Assert.Equal((plain.Callback!.Url, "4"), (mine.Callback.Url, plain.Callback.Settings["Upstash-Retries"]![0]));
        Assert.Null(plain.FailureCallback);

        async Task<Message> MessageAsync(string body, params (string, string)[] headers)
        {
            var answer = await service.CallAsync("POST", "/v2/publish/g", body, null, headers.Length > 0 ? headers : [("X-Own", "1")]);
            Assert.Equal(200, answer.Status);
            return (await service.MessageAsync((string)answer.Json[0]!["messageId"]!))!.Message;
        }
    }

    [Fact]
    public async Task When_and_how_often_a_schedule_publishes_is_its_own_and_not_the_groups()
    {
        await using var service = new TestService();
        await service.CallAsync("POST", "/v2/topics/g/endpoints", """{"endpoints":[{"url":"https://api.example.com"}]}""");
        var tomorrow = (service.Now / 1000) + 86_400;
        await service.CallAsync("PATCH", "/v2/topics/g", $$$"""
            {"headers":{"Upstash-Deduplication-Id":"d","Upstash-Not-Before":"{{{tomorrow}}}","Upstash-Retries":"7"}}
            """);
        await service.CallAsync("POST", "/v2/schedules/g", "x", null, ("Upstash-Cron", "0 0 1 1 *"), ("Upstash-Schedule-Id", "s"));

        for (var i = 0; i < 2; i++)
        {
            var answer = await service.CallAsync("POST", "/v2/schedules/s/run");

            Assert.Equal(200, answer.Status);
            var message = (await service.MessageAsync((string)answer.Json[0]!["messageId"]!))!.Message;
            Assert.Equal((service.Now, 7), (message.NotBefore, message.MaxRetries));
        }
    }
}
