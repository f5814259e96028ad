using System.Text.RegularExpressions;
using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

/// <summary>Queues and flow-control keys.</summary>
public sealed class GatePageTests
{
    [Fact]
    public async Task A_queue_shows_who_is_in_who_is_next_and_since_when_it_is_paused()
    {
        await using var service = Consoles.Start();
        foreach (var name in (string[])["first", "second", "third"])
            await service.CallAsync("POST", "/v2/enqueue/orders/https://example.com/" + name);
        var browser = new Browser(service);

        var page = await browser.GetAsync("/console/queues/orders");
        Assert.Contains("/first", page.Text.Split("In flight").Last().Split("Who is next")[0], StringComparison.Ordinal);
        var next = page.Text.Split("Who is next")[1];
        Assert.True(next.IndexOf("/second", StringComparison.Ordinal) < next.IndexOf("/third", StringComparison.Ordinal));
        Assert.Contains("In line 2 In flight 1 of 1", page.Text, StringComparison.Ordinal);

        await browser.FollowAsync("/console/queues/orders/pause");
        service.Time.Advance(TimeSpan.FromMinutes(3));
        // What is changed of it besides is no new pause.
        await browser.FollowAsync("/console/queues/orders/parallelism", ("parallelism", "2"));
        page = await browser.GetAsync("/console/queues/orders");
        Assert.Contains("Lets nobody in since 3 min ago", page.Text, StringComparison.Ordinal);
        Assert.Contains("paused", (await browser.GetAsync("/console/queues")).Text, StringComparison.Ordinal);
        Assert.Equal((2, true), ((int)(await QueueAsync(service))["parallelism"]!, (bool)(await QueueAsync(service))["paused"]!));
        await browser.FollowAsync("/console/queues/orders/resume");
        Assert.False((bool)(await QueueAsync(service))["paused"]!);

        Assert.Contains("cancel 3 messages?", (await browser.GetAsync("/console/queues/orders/delete")).Text, StringComparison.Ordinal);
        await browser.FollowAsync("/console/queues/orders/delete");
        Assert.Equal(404, (await service.CallAsync("GET", "/v2/queues/orders")).Status);
    }

    [Theory]
    [InlineData("orders", "0")]
    [InlineData("orders", "many")]
    [InlineData("no name", "1")]
    [InlineData("", "1")]
    public async Task What_cannot_be_a_queue_is_refused_in_words(string name, string parallelism)
    {
        await using var service = Consoles.Start();

        var page = await new Browser(service).PostAsync("/console/queues", ("name", name), ("parallelism", parallelism));

        Assert.Equal(400, page.Status);
        Assert.Contains("invalid", page.Text, StringComparison.Ordinal);
        Assert.Empty((await service.CallAsync("GET", "/v2/queues")).Json.AsArray());
    }

    [Fact]
    public async Task A_key_shows_its_rate_and_is_paused_pinned_unpinned_and_reset()
    {
        await using var service = Consoles.Start();
        foreach (var name in (string[])["first", "second", "third"])
            await service.PublishAsync("https://example.com/" + name, headers: [("Upstash-Flow-Control-Key", "acme"), ("Upstash-Flow-Control-Value", "rate=2, period=1m")]);
        var browser = new Browser(service);

        var page = await browser.GetAsync("/console/flow-control/acme");
        Assert.Contains("2 of 2 in 1 min", page.Text, StringComparison.Ordinal);
        Assert.Contains("<meter min=\"0\" max=\"2\" value=\"2\"", page.Html, StringComparison.Ordinal);
        Assert.Contains("Next period in 1 min", page.Text, StringComparison.Ordinal);
        Assert.Contains("/third", page.Text.Split("Who is next")[1], StringComparison.Ordinal);

        await browser.FollowAsync("/console/flow-control/acme/pin", ("parallelism", "5"), ("rate", "7"), ("period", "60"));
        var key = await KeyAsync(service);
        Assert.Equal((5, 7, true, true), ((int)key["parallelismMax"]!, (int)key["rateMax"]!, (bool)key["isPinnedParallelism"]!, (bool)key["isPinnedRate"]!));
        await browser.FollowAsync("/console/flow-control/acme/unpin", ("rate", "true"));
        key = await KeyAsync(service);
        Assert.Equal((true, false), ((bool)key["isPinnedParallelism"]!, (bool)key["isPinnedRate"]!));
        await browser.FollowAsync("/console/flow-control/acme/pause");
        Assert.True((bool)(await KeyAsync(service))["isPaused"]!);
        await browser.FollowAsync("/console/flow-control/acme/resume");
        await browser.FollowAsync("/console/flow-control/acme/reset");
        Assert.Equal((false, 0), ((bool)(await KeyAsync(service))["isPaused"]!, (int)(await KeyAsync(service))["rateCount"]!));
        Assert.Equal(400, (await browser.PostAsync("/console/flow-control/acme/pin", ("rate", "0"))).Status);
        Assert.Equal(400, (await browser.PostAsync("/console/flow-control/acme/pin")).Status);
    }

    [Fact]
    public async Task A_key_that_is_not_there_is_not_made_by_a_post()
    {
        await using var service = Consoles.Start();

        Assert.Equal(404, (await new Browser(service).PostAsync("/console/flow-control/acme/pause")).Status);
        Assert.Empty((await service.CallAsync("GET", "/v2/flowControl")).Json.AsArray());
    }

    private static async Task<System.Text.Json.Nodes.JsonNode> QueueAsync(TestService service) => (await service.CallAsync("GET", "/v2/queues/orders")).Json;

    private static async Task<System.Text.Json.Nodes.JsonNode> KeyAsync(TestService service) => (await service.CallAsync("GET", "/v2/flowControl/acme")).Json;

    [Theory]
    [InlineData("queues", "name", "a b", "invalid queue name")]
    [InlineData("queues", "parallelism", "0", "invalid parallelism")]
    [InlineData("queues/orders/parallelism", "parallelism", "0", "invalid parallelism")]
    [InlineData("queues/orders/parallelism", "parallelism", "", "parallelism is missing")]
    [InlineData("flow-control/acme/pin", "rate", "0", "invalid rate")]
    [InlineData("url-groups", "url", "ftp://x", "invalid url")]
    public async Task What_is_refused_is_told_in_its_form_and_stays_there(string path, string field, string value, string why)
    {
        await using var service = Consoles.Start();
        await service.CallAsync("POST", "/v2/queues", """{"queueName":"orders"}""");
        await service.CallAsync("POST", "/v2/flowControl/acme/pause");
        var other = path switch { "queues" => ("name", "new"), "url-groups" => ("group", "new"), _ => ("x", "y") };

        var answer = await new Browser(service).PostAsync("/console/" + path, other, (field, value));

        Assert.Equal(400, answer.Status);
        Assert.Contains(why, answer.Text, StringComparison.Ordinal);
        Assert.Matches($"<input[^>]* name=\"{field}\"[^>]* value=\"{Regex.Escape(value)}\"[^>]* aria-invalid=\"true\"", answer.Html);
        Assert.Contains("role=\"alert\"", answer.Html, StringComparison.Ordinal);
        // Its address may be one that shows nothing.
        Assert.DoesNotContain("data-refresh-control", answer.Html, StringComparison.Ordinal);
        Assert.Contains("data-refresh-control", (await new Browser(service).GetAsync("/console/queues")).Html, StringComparison.Ordinal);
    }
}
