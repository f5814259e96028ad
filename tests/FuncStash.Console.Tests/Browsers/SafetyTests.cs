using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>What others write is text, what their pages do has no effect, and who may only look cannot act.</summary>
public abstract class SafetyTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    private const string Script = "<script>document.title='gotcha'</script><img src=x onerror=\"document.title='gotcha'\">";

    [Fact]
    public async Task What_looks_like_a_script_is_text_wherever_it_stands()
    {
        var label = Unique("label");
        var path = "/" + label;
        Receiver.Answers(path, Answer.Of(503, Script, ("Content-Type", "text/html"), ("X-Why", Script)));
        // In a batch, where the destination stands in JSON: a request line takes no such characters.
        var batch = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new[]
        {
            new
            {
                destination = Receiver.Url(path + "?q=<script>document.title='gotcha'</script>"), body = Script,
                headers = new Dictionary<string, string> { ["Upstash-Retries"] = "0", ["Upstash-Label"] = label + Script, ["Upstash-Forward-X-Mine"] = Script, ["Content-Type"] = "text/html" },
            },
        });
        var id = (string)(await Wire.SendAsync(HttpMethod.Post, "/v2/batch", batch)).Json[0]!["messageId"]!;
        await Wire.StatesUntilAsync(id, "FAILED");
        var letter = (string)(await Wire.DeadLetterAsync(id))["dlqId"]!;
        var page = await NewPageAsync();
        page.Dialog += (_, dialog) => Assert.Fail("a dialog: " + dialog.Message);

        foreach (var address in (string[])["messages?q=" + Uri.EscapeDataString(label + Script), "messages/" + id, "dead-letters?q=" + label, "dead-letters/" + letter, "send?message=" + id, "live?q=" + label, "schedules/" + Uri.EscapeDataString(Script), "workflows/" + Uri.EscapeDataString(Script), "queues/" + Uri.EscapeDataString(Script)])
        {
            await page.GotoAsync(Console + address);
            // Every script that could run has.
            await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            Assert.NotEqual("gotcha", await page.TitleAsync());
            Assert.Equal(0, await page.Locator("img[src=x], script:not([src])").CountAsync());
            if (address.StartsWith("messages/", StringComparison.Ordinal))
                await Expect(page.Locator("main")).ToContainTextAsync("<script>document.title='gotcha'</script>");
        }
        // A schedule cannot even be called so.
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await Wire.SendAsync(
            HttpMethod.Post, "/v2/schedules/" + Receiver.Url(path), [], [("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", Script)])).Status);
        AssertNoComplaintBut("404", "400");
    }

    [Fact]
    public async Task A_foreign_page_cannot_post()
    {
        var id = await Wire.PublishAsync(Receiver.Url("/never"), "x", ("Upstash-Delay", "1h"));
        Receiver.Answers("/evil", Answer.Of(
            200, $"<form method=post action='{Console}messages/{id}/cancel'></form><script>document.forms[0].submit()</script>", ("Content-Type", "text/html")));
        var page = await NewPageAsync();
        await page.GotoAsync(Console + "messages/" + id);
        var answer = page.WaitForResponseAsync(response => response.Request.Method == "POST");

        await page.GotoAsync(Receiver.Url("/evil"), new() { WaitUntil = WaitUntilState.Commit });

        Assert.Equal(403, (await answer).Status);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await Wire.GetAsync("/v2/messages/" + id)).Status);
        Assert.DoesNotContain("CANCELED", await Wire.StatesUntilAsync(id, "CREATED"));
    }

    [Fact]
    public async Task A_token_that_may_only_look_signs_in_sees_no_action_and_is_signed_out()
    {
        await using var data = new WithSettings(await Hosts.NewDataAsync(), new Dictionary<string, string?> { ["QSTASH_READONLY_TOKEN"] = "a-token-to-look-with" });
        await using var host = await Hosts.StartAsync(data, credentials: new Credentials(
            "a-token-that-only-this-test-knows", "sig_0123456789012345678901234567", "sig_7654321076543210765432107654"));
        var console = host.Url.GetLeftPart(UriPartial.Authority) + "/console/";
        var id = await new WireClient(host).PublishAsync(Receiver.Url("/never"), "x", ("Upstash-Delay", "1h"));
        var page = await NewPageAsync();

        await page.GotoAsync(console + "messages/" + id);
        await AssertNothingSeriousAsync(page);
        await page.GetByLabel("Token").FillAsync("a-token-to-look-with");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Locator("h1")).ToContainTextAsync(id);
        await Expect(page.Locator(".tag", new() { HasTextString = "read-only" })).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("main form[method=post]").CountAsync());
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Send", Exact = true })).ToHaveCountAsync(0);
        var forged = await page.EvaluateAsync<int>($"fetch('messages/{id}/cancel', {{ method: 'POST' }}).then(answer => answer.status)");
        Assert.Equal(403, forged);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await new WireClient(host).GetAsync("/v2/messages/" + id)).Status);
        // No token stays in the browser.
        Assert.DoesNotContain("a-token", string.Join(' ', (await page.Context.CookiesAsync()).Select(cookie => cookie.Value)), StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Token")).ToBeVisibleAsync();
        await page.GotoAsync(console + "messages/" + id);
        await Expect(page.GetByLabel("Token")).ToBeVisibleAsync();
        AssertNoComplaintBut("401", "403");
    }
}

public sealed class SafetyOnServer(SqliteHost hosts, Chromium chromium) : SafetyTests(hosts, chromium);

public sealed class SafetyOnFunctions(FunctionsHost hosts, Chromium chromium) : SafetyTests(hosts, chromium);
