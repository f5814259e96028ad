using System.Text.RegularExpressions;
using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

/// <summary>A form that sends is one message, however often it is submitted.</summary>
public sealed partial class OneTimeTests
{
    [Theory]
    [InlineData("Publish")]
    [InlineData("Enqueue")]
    [InlineData("Batch")]
    [InlineData("Schedule")]
    public async Task The_send_form_submitted_twice_leads_to_the_first_and_edited_it_sends_another(string mode)
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var once = await TicketAsync(browser, "/console/send");
        (string, string)[] fields =
        [
            ("once", once), ("mode", mode), ("destination", "https://example.com/"), ("queue", "orders"), ("body", "one"), ("do", "send"),
            ("Upstash-Delay", mode == "Schedule" ? "" : "1h"), ("Upstash-Cron", mode == "Schedule" ? "0 9 * * *" : ""),
        ];

        var (first, second) = (await browser.PostAsync("/console/send", fields), await browser.PostAsync("/console/send", fields));
        var edited = await browser.PostAsync("/console/send", [.. fields, ("body", "two")]);
        var other = await browser.PostAsync("/console/send", [.. fields, ("once", await TicketAsync(browser, "/console/send"))]);

        Assert.Equal((303, 303), (first.Status, second.Status));
        Assert.Equal(first.Target("/console/send"), second.Target("/console/send"));
        Assert.Equal(3, new[] { first, second, edited, other }.Select(answer => answer.Target("/console/send")).Distinct().Count());
        Assert.Equal(3, mode == "Schedule" ? (await service.CallAsync("GET", "/v2/schedules")).Json.AsArray().Count : await MessagesAsync(service));
    }

    [Fact]
    public async Task A_double_click_sends_once_and_a_deduplication_id_of_the_user_holds()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        (string, string)[] fields = [("destination", "https://example.com/"), ("Upstash-Deduplication-Id", "mine"), ("do", "send")];
        var once = ("once", await TicketAsync(browser, "/console/send"));

        var both = await Task.WhenAll(browser.PostAsync("/console/send", [.. fields, once]), browser.PostAsync("/console/send", [.. fields, once]));
        var duplicate = await browser.PostAsync("/console/send", [.. fields, ("once", await TicketAsync(browser, "/console/send"))]);

        Assert.Equal(both[0].Target("/console/send"), both[1].Target("/console/send"));
        Assert.Equal(both[0].Target("/console/send").Replace("sent", "duplicate", StringComparison.Ordinal), duplicate.Target("/console/send"));
        Assert.Equal(1, await MessagesAsync(service));
    }

    [Theory]
    [InlineData("/console/messages/{id}", "/console/messages/{id}/send", 2)]
    [InlineData("/console/schedules/daily", "/console/schedules/daily/run", 2)]
    [InlineData("/console/url-groups/two", "/console/url-groups/two/test", 3)]
    public async Task What_else_sends_does_it_once(string page, string action, int messages)
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var id = await service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        await service.CallAsync("POST", "/v2/schedules/https://example.com/s", "x", null, ("Upstash-Cron", "0 9 * * *"), ("Upstash-Schedule-Id", "daily"));
        await service.CallAsync("POST", "/v2/topics/two/endpoints", """{"endpoints":[{"url":"https://example.com/a"},{"url":"https://example.com/b"}]}""");
        (page, action) = (page.Replace("{id}", id, StringComparison.Ordinal), action.Replace("{id}", id, StringComparison.Ordinal));
        var once = ("once", await TicketAsync(browser, page));

        var (first, second) = (await browser.PostAsync(action, once), await browser.PostAsync(action, once));

        Assert.Equal((303, first.Target(action)), (second.Status, second.Target(action)));
        Assert.Contains("done=sent", second.Target(action), StringComparison.Ordinal);
        Assert.Equal(messages, await MessagesAsync(service));
        // The page as it stands now sends again.
        await browser.PostAsync(action, ("once", await TicketAsync(browser, page)));
        Assert.Equal((2 * messages) - 1, await MessagesAsync(service));
    }

    private static async Task<string> TicketAsync(Browser browser, string page) =>
        Ticket().Match((await browser.GetAsync(page)).Html).Groups[1].Value is { Length: 32 } ticket ? ticket : throw new InvalidOperationException(page);

    private static async Task<int> MessagesAsync(TestService service) =>
        (await service.CallAsync("GET", "/v2/events?groupBy=messageId&count=100")).Json["events"]!.AsArray().Count;

    [GeneratedRegex("name=\"once\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Ticket();
}
