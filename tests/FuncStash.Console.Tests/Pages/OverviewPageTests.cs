using FuncStash.Console.Tests.Running;
using FuncStash.Messages;

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

    [Fact]
    public async Task Of_very_many_it_says_that_it_looked_at_some()
    {
        await using var service = Consoles.Start();
        var reader = service.Get<OldestDueReader>();
        for (var i = 0; i < 3; i++)
        {
            await service.PublishAsync("https://example.com/" + i, "");
            service.Time.Advance(TimeSpan.FromDays(1));
        }

        Assert.True((await reader.ReadAsync(2, TestContext.Current.CancellationToken)).IsPart);
        Assert.Equal(
            (service.Now - (3 * 86_400_000L), false),
            await reader.ReadAsync(1_000, TestContext.Current.CancellationToken) is var all ? (all.DueAt, all.IsPart) : default);
    }
}
