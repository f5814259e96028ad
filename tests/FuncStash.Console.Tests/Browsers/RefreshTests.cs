using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>What the script does by itself: it never takes away what one is at.</summary>
public abstract class RefreshTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    [Fact]
    public async Task A_refresh_keeps_place_and_selection_and_only_counts_what_is_new()
    {
        var label = Unique("label");
        for (var i = 0; i < 30; i++)
            await PublishAsync(label, $"/{label}/{i}");
        var page = await NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 500 } });
        await page.Clock.InstallAsync();
        var rows = page.Locator(".list tbody tr");
        // Events are written a moment after the messages they tell of.
        await Eventually.GetAsync(
            async () =>
            {
                await page.GotoAsync(Console + "messages?label=" + label);
                return await rows.CountAsync();
            },
            count => count == 30);
        for (var i = 0; i < 20; i++)
            await page.Keyboard.PressAsync("j");
        var at = await page.EvaluateAsync<string>("document.querySelector('tr.at').dataset.key");
        var place = await page.EvaluateAsync<double>("scrollY");
        Assert.True(place > 0);
        await page.Locator("[data-refresh-every]").SelectOptionAsync("5");
        await page.EvaluateAsync("document.querySelector('tr.at a.row').focus({ preventScroll: true })");
        await PublishAsync(label, $"/{label}/new");

        // It tells, and moves nothing.
        await Expect(page.Locator("[data-new]")).ToHaveTextAsync("1 new", new() { Timeout = 30_000 });
        await Expect(rows).ToHaveCountAsync(30);
        Assert.Equal(at, await page.EvaluateAsync<string>("document.activeElement.closest('tr').dataset.key"));
        Assert.Equal(place, await page.EvaluateAsync<double>("scrollY"));

        // While something is selected it asks for nothing.
        await page.EvaluateAsync("getSelection().selectAllChildren(document.querySelector('tr.at'))");
        var selected = await page.EvaluateAsync<string>("getSelection().toString()");
        var asked = 0;
        page.Request += (_, _) => asked++;
        await page.Clock.RunForAsync(12_000);
        Assert.Equal((0, selected), (asked, await page.EvaluateAsync<string>("getSelection().toString()")));

        await page.EvaluateAsync("getSelection().removeAllRanges()");
        await page.Locator("[data-new]").ClickAsync();
        await Expect(rows).ToHaveCountAsync(31);
        AssertNoComplaint();
    }

    [Fact]
    public async Task Live_shows_what_comes_filtered_and_not_while_it_is_paused()
    {
        var label = Unique("label");
        var page = await NewPageAsync();
        await page.Clock.InstallAsync();
        await page.GotoAsync(Console + "live?q=" + label);
        await Expect(page.Locator("[data-live-state]")).ToHaveTextAsync("Listening");

        await PublishAsync(label, $"/{label}/first");
        await Expect(page.Locator("[data-live]")).ToContainTextAsync($"/{label}/first", new() { Timeout = 30_000 });
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await PublishAsync(label, $"/{label}/second");
        await PublishAsync("another", "/another");
        // The page has looked nowhere, although it would have by then.
        await page.Clock.RunForAsync(10_000);
        await Expect(page.Locator("[data-live]")).Not.ToContainTextAsync("/second");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await Expect(page.Locator("[data-live]")).ToContainTextAsync($"/{label}/second", new() { Timeout = 30_000 });
        await Expect(page.Locator("[data-live] tr")).ToHaveCountAsync(2);
        AssertNoComplaint();
    }

    [Theory]
    [InlineData(401, "Your session has ended. Sign in again")]
    [InlineData(404, "This is not there any more.")]
    public async Task A_page_that_cannot_be_looked_at_any_more_says_so_and_asks_no_further(int status, string text)
    {
        var id = await PublishAsync(Unique("label"), "/" + Unique("path"));
        var page = await NewPageAsync();
        await page.Clock.InstallAsync();
        await page.GotoAsync(Console + "messages/" + id);
        await RefuseAsync(page, "**/messages/*", status);

        await page.Locator("[data-refresh-every]").SelectOptionAsync("5");

        await Expect(page.Locator("[data-refresh-state]")).ToHaveTextAsync(text);
        await Expect(page.Locator("[data-refresh-every]")).ToHaveValueAsync("0");
        await Expect(page.Locator("h1")).ToContainTextAsync(id);
        await AssertAsksNothingAsync(page);
        if (status == 401)
            await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Sign in again" })).ToHaveAttributeAsync("href", page.Url);
        AssertNoComplaintBut(status.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Live_says_that_the_session_has_ended()
    {
        var page = await NewPageAsync();
        await page.Clock.InstallAsync();
        await page.GotoAsync(Console + "live?q=" + Unique("label"));
        await RefuseAsync(page, "**/live?*", 401);

        await Expect(page.Locator("[data-live-state]")).ToHaveTextAsync("Your session has ended. Sign in again", new() { Timeout = 30_000 });
        await AssertAsksNothingAsync(page);
        AssertNoComplaintBut("401");
    }

    [Fact]
    public async Task A_click_on_a_time_of_a_list_shows_all_of_them_exactly_and_opens_nothing()
    {
        var label = Unique("label");
        await PublishAsync(label, "/" + label);
        var page = await NewPageAsync();
        var time = page.Locator(".list tbody time").First;
        await Eventually.GetAsync(
            async () =>
            {
                await page.GotoAsync(Console + "messages?label=" + label);
                return await time.CountAsync();
            },
            count => count == 1);
        await Expect(time).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("ago|now"));

        await time.ClickAsync();

        await Expect(time).ToContainTextAsync(":");
        Assert.EndsWith("messages?label=" + label, page.Url, StringComparison.Ordinal);
        AssertNoComplaint();
    }

    private static async Task RefuseAsync(IPage page, string url, int status) =>
        await page.RouteAsync(url, route => route.FulfillAsync(new() { Status = status, ContentType = "text/html", Body = "<p>no</p>" }));

    private static async Task AssertAsksNothingAsync(IPage page)
    {
        var asked = 0;
        page.Request += (_, _) => asked++;
        await page.Clock.RunForAsync(12_000);
        Assert.Equal(0, asked);
    }

    private Task<string> PublishAsync(string label, string path) =>
        Wire.PublishAsync(Receiver.Url(path), "x", ("Upstash-Delay", "1h"), ("Upstash-Label", label));
}

public sealed class RefreshOnServer(SqliteHost hosts, Chromium chromium) : RefreshTests(hosts, chromium);

public sealed class RefreshOnFunctions(FunctionsHost hosts, Chromium chromium) : RefreshTests(hosts, chromium);
