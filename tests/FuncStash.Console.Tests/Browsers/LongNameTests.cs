using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>Names as long as they may be hide nothing of what else a list tells.</summary>
public abstract class LongNameTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    protected override bool HasOwnHost => true;

    [Theory]
    [InlineData(1280)]
    [InlineData(390)]
    public async Task Each_list_shows_all_its_columns(int width)
    {
        var name = new string('q', 200);
        await Wire.SendAsync(HttpMethod.Post, "/v2/queues", Encoding.UTF8.GetBytes($$"""{"queueName":"{{name}}"}"""));
        await Wire.SendAsync(HttpMethod.Post, $"/v2/flowControl/{name}/pin?rate=3");
        await Wire.SendAsync(HttpMethod.Post, $"/v2/topics/{name}/endpoints", Encoding.UTF8.GetBytes($$"""{"endpoints":[{"url":"{{Receiver.Url("/x")}}"}]}"""));
        await Wire.SendAsync(HttpMethod.Post, "/v2/schedules/" + Receiver.Url("/x"), [], [("Upstash-Cron", "0 9 1 1 *"), ("Upstash-Schedule-Id", name)]);
        var page = await NewPageAsync(new() { ViewportSize = new() { Width = width, Height = 800 } });

        foreach (var list in (string[])["queues", "flow-control", "url-groups", "schedules"])
        {
            await page.GotoAsync(Console + list);
            await Expect(page.Locator(".list .name")).ToHaveTextAsync(name);
            Assert.Equal((list, 0), (list, await page.EvaluateAsync<int>("(() => { const list = document.querySelector('.scroll'); return list.scrollWidth - list.clientWidth; })()")));
        }
        foreach (var list in (string[])["queues", "url-groups", "schedules"])
        {
            await page.GotoAsync($"{Console}{list}/{name}/delete");
            await Expect(page.Locator("h1")).ToContainTextAsync(name);
            Assert.Equal((list, width), (list, await page.EvaluateAsync<int>("document.documentElement.scrollWidth")));
        }
        AssertNoComplaint();
    }
}

public sealed class LongNamesOnServer(SqliteHost hosts, Chromium chromium) : LongNameTests(hosts, chromium);

public sealed class LongNamesOnFunctions(FunctionsHost hosts, Chromium chromium) : LongNameTests(hosts, chromium);
