using System.Text;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>
/// The pictures of docs/console: five pages after an hour's work. With <c>FUNCSTASH_UPDATE_DOCS=1</c> they are written there;
/// else they are only taken.
/// </summary>
public sealed class ScreenshotsOnServer(SqliteHost hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    [Fact]
    public async Task Five_pages_are_shown_in_the_documentation()
    {
        await using var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data);
        var wire = new WireClient(host);
        var console = host.Url.GetLeftPart(UriPartial.Authority) + "/console/";
        Receiver.Answers("/billing", Answer.Of(503, """{"error":"maintenance until 04:00"}""", ("Content-Type", "application/json"), ("Retry-After", "148")));
        Receiver.Answers("/mail", Answer.Of(422, """{"error":"unknown template"}""", ("Content-Type", "application/json")));
        for (var i = 0; i < 40; i++)
            await wire.PublishAsync(Receiver.Url("/orders"), $$"""{"order":{{i}}}""", ("Upstash-Label", "orders"));
        for (var i = 0; i < 6; i++)
            await wire.PublishAsync(Receiver.Url("/mail"), $$"""{"template":"welcome","user":{{i}}}""", ("Upstash-Label", "mail"), ("Upstash-Retries", "0"), ("Content-Type", "application/json"));
        for (var i = 0; i < 3; i++)
            await wire.PublishAsync(Receiver.Url("/billing"), "{}", ("Upstash-Label", "billing"), ("Upstash-Retries", "0"));
        var retried = await wire.PublishAsync(
            Receiver.Url("/billing"), """{"invoice":"2026-117","amount":4200,"currency":"NOK"}""", ("Upstash-Label", "billing"), ("Content-Type", "application/json"));
        await wire.SendAsync(HttpMethod.Post, "/v2/queues", Encoding.UTF8.GetBytes("""{"queueName":"invoices","parallelism":2,"paused":true}"""));
        foreach (var name in (string[])["a", "b", "c"])
            await wire.SendAsync(HttpMethod.Post, "/v2/enqueue/invoices/" + Receiver.Url("/invoices"), Encoding.UTF8.GetBytes(name));
        await wire.StatesUntilAsync(retried, "RETRY");
        await RunWorkflowAsync(wire);
        await Eventually.GetAsync(async () => (await wire.GetAsync("/v2/dlq")).Json["messages"]!.AsArray().Count, count => count == 9);
        var page = await NewPageAsync(new() { ViewportSize = new() { Width = 1280, Height = 800 }, ColorScheme = ColorScheme.Light });

        await TakeAsync(page, console, "overview", "dead letters today");
        await TakeAsync(page, console + "messages/" + retried, "message", "Next try in");
        await TakeAsync(page, console + "dead-letters", "dead-letters", "What failed alike");
        await TakeAsync(page, console + "send", "send", "The same request");
        await TakeAsync(page, console + "workflows/order-2026-117", "workflow", "Waits for payment-2026-117");
        AssertNoComplaint();
    }

    private async Task RunWorkflowAsync(WireClient wire)
    {
        var url = Receiver.Url("/flow");
        Receiver.Answers("/flow", Answer.Of(200, "", ("Upstash-Workflow-Sdk-Version", "1")));
        (string Name, string Value)[] headers =
        [
            ("Upstash-Workflow-RunId", "order-2026-117"), ("Upstash-Workflow-Url", url), ("Upstash-Feature-Set", "LazyFetch,InitialBody"),
            ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"),
        ];
        await wire.PublishAsync(url, """{"order":"2026-117","items":3}""", [("Upstash-Workflow-Init", "true"), ("Upstash-Label", "shop"), .. headers]);
        await Receiver.WaitForAsync("/flow");
        foreach (var (id, name, result) in new[] { (1, "reserve", "3 items reserved"), (2, "invoice", "invoice 2026-117 sent") })
        {
            await wire.PublishAsync(url, $$"""{"stepId":{{id}},"stepName":"{{name}}","stepType":"Run","out":"{{result}}","concurrent":1}""", [("Upstash-Workflow-Init", "false"), .. headers]);
            await Receiver.WaitForAsync("/flow", id + 1);
        }
        var waiting = System.Text.Json.JsonSerializer.Serialize(new
        {
            url, timeout = "7d", timeoutUrl = url, timeoutHeaders = headers.Append(("Upstash-Workflow-Init", "false")).ToDictionary(h => h.Item1, h => new[] { h.Item2 }),
            step = new { stepId = 3, stepType = "Wait", stepName = "payment", concurrent = 1 },
        });
        Assert.Equal(System.Net.HttpStatusCode.OK, (await wire.SendAsync(HttpMethod.Post, "/v2/wait/payment-2026-117", Encoding.UTF8.GetBytes(waiting))).Status);
    }

    private static async Task TakeAsync(IPage page, string address, string name, string shows)
    {
        await page.GotoAsync(address);
        await Expect(page.Locator("main")).ToContainTextAsync(shows, new() { IgnoreCase = true });
        var picture = await page.ScreenshotAsync();
        Assert.True(picture.Length > 20_000, name + " shows something");
        if (Environment.GetEnvironmentVariable("FUNCSTASH_UPDATE_DOCS") != "1")
            return;
        var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "docs", "console"));
        await File.WriteAllBytesAsync(Path.Combine(folder.FullName, name + ".png"), picture, TestContext.Current.CancellationToken);
    }
}
