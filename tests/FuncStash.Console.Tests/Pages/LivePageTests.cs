using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

public sealed class LivePageTests
{
    [Fact]
    public async Task It_has_every_event_and_those_that_are_newer_than_one_that_is_known()
    {
        await using var service = Consoles.Start();
        await service.PublishAsync("https://example.com/early", headers: ("Upstash-Delay", "1h"));
        service.Time.Advance(TimeSpan.FromSeconds(10));
        await service.PublishAsync("https://example.com/known", headers: ("Upstash-Delay", "1h"));
        var browser = new Browser(service);
        var known = (await browser.GetAsync("/console/live")).Html.Split("data-key=\"")[1].Split('"')[0];
        service.Time.Advance(TimeSpan.FromMinutes(1));
        var id = await service.PublishAsync("https://example.com/late", headers: [("Upstash-Delay", "1h"), ("Upstash-Label", "seven")]);
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await service.CallAsync("DELETE", "/v2/messages/" + id);

        var newer = await browser.GetAsync("/console/live?newer=" + Uri.EscapeDataString(known));

        Assert.DoesNotContain("/early", newer.Text, StringComparison.Ordinal);
        // Its creation, and its cancellation.
        Assert.True(newer.Html.Split("data-key=").Length - 1 >= 2);
        Assert.Contains("waiting", newer.Text, StringComparison.Ordinal);
        Assert.Contains("cancelled", newer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/early", (await browser.GetAsync("/console/live?q=seven")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/late", (await browser.GetAsync("/console/live?q=eight")).Text, StringComparison.Ordinal);
        var cancelled = await browser.GetAsync("/console/live?state=cancelled");
        Assert.Contains("/late", cancelled.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/early", cancelled.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_another_process_stores_late_is_not_missed()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://example.com/late", headers: ("Upstash-Delay", "1h"));
        service.Time.Advance(TimeSpan.FromSeconds(4));
        await service.PublishAsync("https://example.com/known", headers: ("Upstash-Delay", "1h"));
        var browser = new Browser(service);
        var known = (await browser.GetAsync("/console/live")).Html.Split("data-key=\"")[1].Split('"')[0];

        // What is dated a little before the latest one that the page has comes along, and the page knows which rows it has.
        Assert.Contains(id, (await browser.GetAsync("/console/live?newer=" + Uri.EscapeDataString(known))).Html, StringComparison.Ordinal);
    }
}
