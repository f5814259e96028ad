using FuncStash.Console.Tests.Running;
using FuncStash.Destinations;
using FuncStash.Settings;

namespace FuncStash.Console.Tests.Pages;

/// <summary>A message says in words why it waits.</summary>
public sealed class WaitPageTests
{
    [Fact]
    public async Task In_a_queue_it_says_which_place_it_has_and_since_when_the_queue_is_paused()
    {
        await using var service = Consoles.Start();
        var ids = new List<string>();
        foreach (var name in (string[])["a", "b", "c", "d"])
            ids.Add((string)(await service.CallAsync("POST", "/v2/enqueue/orders/https://example.com/" + name)).Json["messageId"]!);

        Assert.Contains("Next in line in queue orders , 1 of 1 in flight", await TextAsync(service, ids[1]), StringComparison.Ordinal);
        Assert.Contains("Second, behind another one, in queue orders", await TextAsync(service, ids[2]), StringComparison.Ordinal);
        Assert.Contains("The 3rd, behind 2 others, in queue orders", await TextAsync(service, ids[3]), StringComparison.Ordinal);
        await service.CallAsync("POST", "/v2/queues/orders/pause");
        Assert.Contains("in queue orders , which is paused since 2026-", await TextAsync(service, ids[3]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_key_it_says_what_the_key_has_no_room_for()
    {
        await using var service = Consoles.Start();
        var byPlaces = await LastOfAsync("acme", "parallelism=4");
        var byRate = await LastOfAsync("other", "rate=4, period=1m");

        Assert.Contains("Next in line at key acme , 4 of 4 in flight", await TextAsync(service, byPlaces), StringComparison.Ordinal);
        Assert.Contains("at key other , 4 of 4 in this period; the next one begins in 1 min", await TextAsync(service, byRate), StringComparison.Ordinal);

        async Task<string> LastOfAsync(string key, string limits)
        {
            var id = "";
            for (var i = 0; i < 5; i++)
                id = await service.PublishAsync("https://example.com/", headers: [("Upstash-Flow-Control-Key", key), ("Upstash-Flow-Control-Value", limits)]);
            return id;
        }
    }

    [Fact]
    public async Task Before_its_time_it_says_how_long_it_is_and_what_the_attempt_before_came_to()
    {
        await using var service = Consoles.Start();
        await using var destination = await StandIn.StartAsync(503);
        var delayed = await service.PublishAsync("https://example.com/", headers: ("Upstash-Delay", "4m"));
        var failed = await service.PublishAsync(destination.Url, headers: ("Upstash-Retry-Delay", "148000"));
        await service.DeliverDueAsync();

        Assert.Contains("Due in 4 min.", await TextAsync(service, delayed), StringComparison.Ordinal);
        Assert.Contains("Next try in 2 min 28 s after status 503, the 1st of at most 3 retries.", await TextAsync(service, failed), StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_destination_that_is_slow_it_says_how_many_places_it_has()
    {
        await using var service = Consoles.Start(new FuncStashOptions { DestinationParallelism = 2 });
        var id = await service.PublishAsync("https://example.com/");
        var lanes = service.Get<DestinationLanes>();
        foreach (var path in (string[])["a", "b"])
            Assert.NotNull(lanes.TryEnter("https://example.com/" + path));

        Assert.Contains("The destination is slow: this process has the 2 attempts in flight there that it may have now (lane 2 of 2).", await TextAsync(service, id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_names_a_destination_that_gave_no_response()
    {
        await using var service = Consoles.Start();
        Assert.DoesNotContain("is slow", (await new Browser(service).GetAsync("/console/")).Text, StringComparison.Ordinal);

        service.Get<DestinationLanes>().TryEnter("https://example.com/a")!.Value.Leave(answered: false);

        Assert.Contains("example.com is slow 0 of 192 places in use", (await new Browser(service).GetAsync("/console/")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_cancelled_and_sent_again_as_it_was()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync(
            "https://example.com/x", "hello", ("Upstash-Delay", "4m"), ("Upstash-Label", "seven"), ("Upstash-Forward-X-Mine", "1"), ("Upstash-Retries", "5"));
        var browser = new Browser(service);

        Assert.Contains("The message is cancelled", (await browser.FollowAsync($"/console/messages/{id}/cancel")).Text, StringComparison.Ordinal);
        Assert.Contains("had ended already", (await browser.FollowAsync($"/console/messages/{id}/cancel")).Text, StringComparison.Ordinal);
        var answer = await browser.PostAsync($"/console/messages/{id}/send");

        var again = answer.Target($"/console/messages/{id}/send").Split('/')[^1].Split('?')[0];
        Assert.NotEqual(id, again);
        var message = (await service.CallAsync("GET", "/v2/messages/" + again)).Json;
        Assert.Equal(("https://example.com/x", "hello", 5, "seven"), ((string)message["url"]!, (string)message["body"]!, (int)message["maxRetries"]!, (string)message["label"]!));
        Assert.Equal("1", (string)message["header"]!["X-Mine"]![0]!);
        Assert.True((long)message["notBefore"]! <= service.Now);
    }

    private static async Task<string> TextAsync(TestService service, string id) => (await new Browser(service).GetAsync("/console/messages/" + id)).Text;
}
