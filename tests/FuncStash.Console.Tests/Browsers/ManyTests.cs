using System.Text;
using System.Text.Json;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>Much of it: pages stay small, and one question is enough.</summary>
public abstract class ManyTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    protected override bool HasOwnHost => true;

    /// <summary>How many dead letters one question is about; a host with remote storage is given fewer.</summary>
    protected virtual int DeadLetters => 10_000;

    [Fact]
    public async Task Big_messages_leave_page_and_server_small()
    {
        var label = Unique("label");
        var body = new string('x', 900_000);
        for (var i = 0; i < 120; i++)
            await Wire.PublishAsync(Receiver.Url("/never"), body, ("Upstash-Delay", "1h"), ("Upstash-Label", label));
        var page = await NewPageAsync();
        await page.GotoAsync(Console + "messages?label=" + label);
        Host.ForgetPeak();
        var before = Host.ResidentBytes;

        for (var i = 0; i < 5; i++)
        {
            var answer = await page.GotoAsync(Console + "messages?label=" + label);
            Assert.True((await answer!.BodyAsync()).Length < 200_000, "the list is small");
        }
        await Expect(page.Locator(".list tbody tr")).ToHaveCountAsync(50);
        await page.Locator(".list tbody a.row").First.ClickAsync();
        await Expect(page.Locator("main")).ToContainTextAsync("This is its beginning.");
        Assert.True((await page.ContentAsync()).Length < 200_000, "the message's page is small");
        // All 120 together have 108 MB.
        Assert.True(Host.PeakBytes - before < 40_000_000, $"the server grew by {(Host.PeakBytes - before) / 1_000_000} MB");
        AssertNoComplaint();
    }

    [Fact]
    public async Task Dead_letters_are_all_sent_again_from_one_question()
    {
        var label = Unique("label");
        Receiver.Answers("/" + label, Answer.Of(503));
        var item = JsonSerializer.Serialize(new
        {
            destination = Receiver.Url("/" + label), headers = new Dictionary<string, string> { ["Upstash-Retries"] = "0", ["Upstash-Label"] = label },
        });
        for (var sent = 0; sent < DeadLetters; sent += 1_000)
            await Wire.SendAsync(HttpMethod.Post, "/v2/batch", Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat(item, Math.Min(1_000, DeadLetters - sent)))}]"));
        var page = await NewPageAsync();
        var count = DeadLetters.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);
        await Eventually.GetAsync(
            async () =>
            {
                await page.GotoAsync(Console + "dead-letters/all?do=retry&q=" + label);
                return await page.Locator("h1").TextContentAsync();
            },
            title => title == $"Retry {count} dead letters?", title => title ?? "no title", TimeSpan.FromMinutes(5));
        Receiver.Answers("/" + label, Answer.Ok);

        page.SetDefaultNavigationTimeout(300_000);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Retry {count} dead letters" }).ClickAsync();

        await Expect(page.Locator(".steps .end")).ToContainTextAsync($"{count} done", new() { Timeout = 300_000 });
        await Eventually.GetAsync(
            () => Task.FromResult(Receiver.All.Count), all => all >= 2 * DeadLetters, all => $"{all} requests", TimeSpan.FromMinutes(5));
        await page.GotoAsync(Console + "dead-letters?q=" + label);
        await Expect(page.Locator(".empty")).ToContainTextAsync("No dead letter fits.");
        AssertNoComplaint();
    }
}

[Collection(Alone.Name)]
public sealed class ManyOnServer(SqliteHost hosts, Chromium chromium) : ManyTests(hosts, chromium);

[Collection(Alone.Name)]
public sealed class ManyOnFunctions(FunctionsHost hosts, Chromium chromium) : ManyTests(hosts, chromium)
{
    protected override int DeadLetters => 300;
}
