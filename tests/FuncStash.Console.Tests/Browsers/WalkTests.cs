using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>Find what failed, read why, send it again: by keyboard alone, and without scripts.</summary>
public abstract class WalkTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    [Fact]
    public async Task By_keyboard_alone()
    {
        var label = Unique("label");
        var id = await FailAsync("/" + label, label);
        var page = await NewPageAsync();
        await page.GotoAsync(Console + "messages");

        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync(label);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".list tbody tr")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("h1")).ToContainTextAsync(id);
        await Expect(page.Locator("main")).ToContainTextAsync("destination answered with status 503");
        await TabToAsync(page, "Its dead letter");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("main")).ToContainTextAsync("Last response");
        await TabToAsync(page, "Retry");
        await page.Keyboard.PressAsync("Enter");

        await Expect(page.Locator(".notice")).ToHaveTextAsync("1 dead letter sent again.");
        Assert.Equal(2, (await Receiver.WaitForAsync("/" + label, 2)).Count);
        AssertNoComplaint();
    }

    [Fact]
    public async Task Without_scripts()
    {
        var label = Unique("label");
        var id = await FailAsync("/" + label, label);
        var page = await NewPageAsync(new() { JavaScriptEnabled = false });
        await page.GotoAsync(Console);

        await page.GetByRole(AriaRole.Link, new() { Name = "Messages", Exact = true }).ClickAsync();
        await page.GetByLabel("Search messages").FillAsync(label);
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await page.Locator(".list tbody tr").First.ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync(id);
        await page.GetByRole(AriaRole.Link, new() { Name = "Its dead letter" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry", Exact = true }).ClickAsync();

        await Expect(page.Locator(".notice")).ToHaveTextAsync("1 dead letter sent again.");
        Assert.Equal(2, (await Receiver.WaitForAsync("/" + label, 2)).Count);
        // What needs a script is not there.
        Assert.Equal(0, await page.Locator("[data-refresh-control]:visible, button.copy:visible").CountAsync());
    }

    private static async Task TabToAsync(IPage page, string text)
    {
        for (var i = 0; i < 40; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            if (await page.EvaluateAsync<string>("document.activeElement.textContent.trim()") == text)
                return;
        }
        Assert.Fail($"Tab does not come to '{text}'");
    }
}

public sealed class WalkOnServer(SqliteHost hosts, Chromium chromium) : WalkTests(hosts, chromium);

public sealed class WalkOnFunctions(FunctionsHost hosts, Chromium chromium) : WalkTests(hosts, chromium);
