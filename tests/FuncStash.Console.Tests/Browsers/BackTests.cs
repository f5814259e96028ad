using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>The browser's way back leads to the same place, and sends nothing a second time, with scripts and without.</summary>
public abstract class BackTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task From_a_message_it_leads_to_its_page_of_the_list_with_the_same_filter(bool scripts)
    {
        var label = Unique("label");
        await PublishAsync(label, 120);
        var page = await NewPageAsync(new() { JavaScriptEnabled = scripts });
        var (rows, search) = (page.Locator(".list tbody tr"), page.GetByLabel("Search messages"));
        await page.GotoAsync(Console + "messages");
        await search.FillAsync(label);
        await page.GetByRole(AriaRole.Button, new() { Name = "Search" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Waiting", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("state=waiting"), new() { Timeout = 30_000 });
        await page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("after="), new() { Timeout = 30_000 });
        await Expect(rows).ToHaveCountAsync(50);
        var (second, keys) = (page.Url, await KeysAsync());
        await rows.Nth(45).ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync(keys[45]);
        // What comes meanwhile is on top, and moves nothing here.
        await PublishAsync(label, 3);

        await page.GoBackAsync();
        await Expect(rows).ToHaveCountAsync(50);
        Assert.Equal(second, page.Url);
        Assert.Equal(keys, await KeysAsync());
        await Expect(search).ToHaveValueAsync(label);
        // Where one was, a row of the lower half is in sight.
        await Expect(rows.Nth(45)).ToBeInViewportAsync();
        await page.GoBackAsync();
        await Expect(page).Not.ToHaveURLAsync(new Regex("after="), new() { Timeout = 30_000 });
        await Expect(rows).ToHaveCountAsync(50);
        await Expect(search).ToHaveValueAsync(label);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Waiting", Exact = true })).ToHaveAttributeAsync("aria-current", "true");
        await page.GoBackAsync();
        await page.GoBackAsync();

        // The first page was not narrowed, and its field says so.
        await Expect(page).ToHaveURLAsync(new Regex("/messages$"), new() { Timeout = 30_000 });
        await Expect(search).ToHaveValueAsync("");
        AssertNoComplaint();

        async Task<string[]> KeysAsync() => [.. (await Task.WhenAll((await rows.AllAsync()).Select(row => row.GetAttributeAsync("data-key"))))!];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task To_the_form_of_a_message_it_sends_that_once_and_another_when_it_was_changed(bool scripts)
    {
        var label = Unique("label");
        var page = await NewPageAsync(new() { JavaScriptEnabled = scripts });
        await page.GotoAsync(Console + "messages");
        await page.GetByRole(AriaRole.Link, new() { Name = "Send", Exact = true }).ClickAsync();
        await FillAsync("one");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).DblClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync("msg_");
        var id = await page.Locator("h1").TextContentAsync();

        await page.GoBackAsync();
        await FillAsync("one");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();
        await Expect(page.Locator(".notice")).ToContainTextAsync("This form was sent before");
        await Expect(page.Locator("h1")).ToHaveTextAsync(id!);
        await page.GoBackAsync();
        await FillAsync("two");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send", Exact = true }).ClickAsync();

        await Expect(page.Locator(".notice")).ToHaveTextAsync("Sent.");
        await Receiver.WaitForAsync("/" + label, 2);
        Assert.Equal(["one", "two"], Receiver.Requests("/" + label).Select(request => request.Text).Order());
        AssertNoComplaint();

        async Task FillAsync(string body)
        {
            await page.GetByLabel("Destination", new() { Exact = true }).FillAsync(Receiver.Url("/" + label));
            await page.GetByLabel("Body", new() { Exact = true }).FillAsync(body);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task To_a_list_of_dead_letters_it_leaves_none_ticked_for_another_may_stand_there_now(bool scripts)
    {
        var label = Unique("label");
        await FailAsync("/" + label, label);
        var page = await NewPageAsync(new() { JavaScriptEnabled = scripts });
        await page.GotoAsync(Console + "dead-letters?q=" + label);
        var ticks = page.Locator("form .list input[type=checkbox]");
        await ticks.First.CheckAsync();
        await page.Locator("form .list a.row").First.ClickAsync();
        await Expect(page.Locator("main")).ToContainTextAsync("Last response");
        await FailAsync("/" + label + "-2", label);

        await page.GoBackAsync();

        await Expect(ticks).ToHaveCountAsync(2);
        await Expect(page.Locator("form .list input:checked")).ToHaveCountAsync(0);
        AssertNoComplaint();
    }

    private Task<WireAnswer> PublishAsync(string label, int count)
    {
        var item = JsonSerializer.Serialize(new
        {
            destination = Receiver.Url("/" + label), headers = new Dictionary<string, string> { ["Upstash-Delay"] = "1h", ["Upstash-Label"] = label },
        });
        return Wire.SendAsync(HttpMethod.Post, "/v2/batch", Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat(item, count))}]"));
    }
}

public sealed class BackOnServer(SqliteHost hosts, Chromium chromium) : BackTests(hosts, chromium);

public sealed class BackOnFunctions(FunctionsHost hosts, Chromium chromium) : BackTests(hosts, chromium);
