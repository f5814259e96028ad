using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

public sealed class OverviewPageTests
{
    [Fact]
    public async Task It_tells_which_message_is_due_longest()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        Assert.Contains("Oldest due no message that is due waits", (await browser.GetAsync("/console/")).Text, StringComparison.Ordinal);
        await service.PublishAsync("https://example.com/later", "", ("Upstash-Delay", "1h"));
        var first = await service.PublishAsync("https://example.com/first", "", ("Upstash-Delay", "10s"));
        service.Time.Advance(TimeSpan.FromSeconds(30));
        await service.PublishAsync("https://example.com/second", "");
        service.Time.Advance(TimeSpan.FromSeconds(70));

        var page = await browser.GetAsync("/console/");

        Assert.Contains("Oldest due for 1 min 30 s", page.Text, StringComparison.Ordinal);
        Assert.Contains("/console/messages/" + first, page.Links("/console/"));
    }
}
