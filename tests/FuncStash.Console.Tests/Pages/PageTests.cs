using System.Text;
using FuncStash.Console.Serving;
using FuncStash.Console.Tests.Running;
using FuncStash.Messages;

namespace FuncStash.Console.Tests.Pages;

public sealed class PageTests
{
    private const string Script = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";

    [Theory]
    [InlineData("PUT", "/console/messages", 405)]
    [InlineData("POST", "/console/no-such-page", 405)]
    [InlineData("DELETE", "/console/echo/no", 405)]
    public async Task An_error_that_is_no_page_is_guessed_at_and_scripted_no_more_than_one(string method, string path, int status)
    {
        await using var service = Consoles.Start();

        var answer = await service.CallAsync(method, path, "<script>alert(1)</script>");

        Assert.Equal((status, "nosniff"), (answer.Status, answer.Headers["X-Content-Type-Options"]));
        Assert.StartsWith("default-src 'none'", answer.Headers["Content-Security-Policy"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_root_leads_a_browser_to_the_console_and_nobody_else()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);

        var page = await browser.GetAsync("/", ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"));
        Assert.Equal((302, "/console/"), (page.Status, page.Target("/")));
        Assert.Equal("no such route: GET /", (await service.CallAsync("GET", "/")).Error);
    }

    [Theory]
    [InlineData("/console")]
    [InlineData("/console/")]
    [InlineData("/console/messages")]
    [InlineData("/console/dead-letters?q=x")]
    [InlineData("/console/no/such/page")]
    public async Task Every_page_has_the_strict_headers(string path)
    {
        await using var service = Consoles.Start();

        var answer = await new Browser(service).GetAsync(path);

        Assert.Equal("text/html; charset=utf-8", answer.Headers.ContentType.ToString());
        var policy = answer.Headers.ContentSecurityPolicy.ToString();
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.XContentTypeOptions.ToString());
        Assert.Equal("no-referrer", answer.Headers["Referrer-Policy"].ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl.ToString());
        // What the policy would keep from working.
        Assert.DoesNotContain(" style=", answer.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("<style", answer.Html, StringComparison.Ordinal);
        Assert.DoesNotMatch(" on[a-z]+=", answer.Html);
    }

    [Fact]
    public async Task Where_a_browser_tells_no_site_it_may_tell_its_own_origin()
    {
        await using var service = Consoles.Start(Consoles.Secret);

        var answer = await new Browser(service) { Host = "10.1.2.3:8080", Site = "" }.GetAsync("/console/");

        Assert.Equal("same-origin", answer.Headers["Referrer-Policy"].ToString());
    }

    [Fact]
    public async Task Assets_have_the_hash_of_their_content_in_their_names_and_never_change()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service);

        foreach (var name in (string[])["console.css", "console.mjs", "icon.svg"])
        {
            var answer = await browser.GetAsync("/console/" + AssetFiles.Url(name));
            Assert.Equal(200, answer.Status);
            Assert.Equal("public, max-age=31536000, immutable", answer.Headers.CacheControl.ToString());
            Assert.Matches(@"^assets/[a-z]+\.[0-9a-f]{12}\.(css|mjs|svg)$", AssetFiles.Url(name));
        }
        Assert.Equal(404, (await browser.GetAsync("/console/assets/console.000000000000.css")).Status);
        Assert.True((await browser.GetAsync("/console/" + AssetFiles.Url("console.mjs"))).Bytes.Length < 15_000);
    }

    [Fact]
    public async Task Every_link_holds_under_any_prefix()
    {
        await using var service = Consoles.Start();
        await service.PublishAsync("https://example.com/", headers: ("Upstash-Label", "a label"));
        var letter = await service.AddDeadLetterAsync(service.NewMessage("https://example.com/dead"));
        var browser = new Browser(service);

        foreach (var path in (string[])["/console", "/console/", "/console/messages", "/console/dead-letters", $"/console/dead-letters/{letter}", "/console/a/b/c"])
        {
            var page = await browser.GetAsync(path);
            // A proxy has taken the prefix away before the service saw the address.
            Assert.All(page.Links("/some/prefix" + path), link => Assert.StartsWith("/some/prefix/console/", link, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_message_shows_what_became_of_it()
    {
        await using var service = Consoles.Start();
        await using var destination = await StandIn.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers["X-Why"] = "tired";
            return context.Response.Body.WriteAsync("{\"later\":true}"u8.ToArray()).AsTask();
        });
        var id = await service.PublishAsync(
            destination.Url + "/orders", """{"order":7}""", ("Upstash-Retries", "1"), ("Upstash-Retry-Delay", "148000"), ("Content-Type", "application/json"));
        await service.DeliverDueAsync();
        var browser = new Browser(service);

        var list = await browser.GetAsync("/console/messages");
        Assert.Contains("/orders", list.Text, StringComparison.Ordinal);
        var page = await browser.GetAsync("/console/messages/" + id);
        Assert.Contains("status 503", page.Text, StringComparison.Ordinal);
        Assert.Contains("X-Why tired", page.Text, StringComparison.Ordinal);
        Assert.Contains("\"later\": true", page.Text, StringComparison.Ordinal);
        Assert.Contains("\"order\": 7", page.Text, StringComparison.Ordinal);
        Assert.Contains("in 2 min", page.Text, StringComparison.Ordinal);

        service.Time.Advance(TimeSpan.FromSeconds(148));
        await service.DeliverDueAsync();
        Assert.Contains("Failed for good after 2 attempts", (await browser.GetAsync("/console/messages/" + id)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_others_wrote_is_shown_as_text()
    {
        await using var service = Consoles.Start();
        await using var destination = await StandIn.StartAsync(context =>
        {
            context.Response.StatusCode = 489;
            context.Response.Headers["Upstash-NonRetryable-Error"] = "true";
            context.Response.Headers["X-Evil"] = Script;
            return context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Script)).AsTask();
        });
        var id = await service.PublishAsync(
            $"{destination.Url}/?q=<script>alert(3)</script>", Script, ("Upstash-Label", Script), ("Upstash-Forward-X-Evil", Script));
        await service.DeliverDueAsync();
        var browser = new Browser(service);
        var dlqId = (await service.MessageAsync(id))!.Progress.DlqId;

        foreach (var path in (string[])[
            "/console/", "/console/messages", "/console/messages/" + id, "/console/dead-letters", "/console/dead-letters/" + dlqId,
            "/console/messages?q=" + Uri.EscapeDataString(Script), "/console/dead-letters?error=" + Uri.EscapeDataString(Script),
            "/console/messages?label=" + Uri.EscapeDataString(Script), "/console/" + Uri.EscapeDataString(Script)])
        {
            var page = await browser.GetAsync(path);
            Assert.DoesNotContain("<script>", page.Html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img src=x", page.Html, StringComparison.OrdinalIgnoreCase);
        }
        Assert.Contains(Script, (await browser.GetAsync("/console/messages/" + id)).Text, StringComparison.Ordinal);
        // As a file it runs nothing either.
        var raw = await browser.GetAsync($"/console/messages/{id}/body");
        Assert.Contains("sandbox", raw.Headers.ContentSecurityPolicy.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("attachment", raw.Headers.ContentDisposition.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_search_finds_by_any_part_and_an_id_leads_to_its_message()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://shop.example.com/orders/17", headers: ("Upstash-Label", "Autumn-Sale"));
        await service.PublishAsync("https://other.example.com/");
        var browser = new Browser(service);

        foreach (var text in (string[])["SHOP.example", "orders/17", "autumn", id[^8..]])
        {
            var page = await browser.GetAsync("/console/messages?q=" + text);
            Assert.Contains("shop.example.com", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("other.example.com", page.Text, StringComparison.Ordinal);
        }
        var answer = await browser.GetAsync("/console/messages?q=" + id);
        Assert.Equal("/console/messages/" + id, answer.Target("/console/messages?q=" + id));
    }

    [Fact]
    public async Task A_page_of_many_big_messages_loads_none_of_their_bodies()
    {
        await using var service = Consoles.Start();
        for (var i = 0; i < 120; i++)
            await service.PublishAsync("https://example.com/" + i, new string('x', 900_000), ("Upstash-Delay", "1h"));
        var browser = new Browser(service);
        await browser.GetAsync("/console/messages");
        var before = GC.GetAllocatedBytesForCurrentThread();

        var page = await browser.GetAsync("/console/messages");

        Assert.True(page.Bytes.Length < 100_000, $"{page.Bytes.Length} bytes");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 20_000_000, $"{GC.GetAllocatedBytesForCurrentThread() - before} bytes");
        var next = page.Links("/console/messages").Single(link => link.Contains("after=", StringComparison.Ordinal));
        Assert.Equal(50, (await browser.GetAsync(next)).Html.Split("data-key=").Length - 1);
    }

    [Fact]
    public async Task A_redacted_body_is_not_shown_nor_given_away()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://example.com/", "the secret", ("Upstash-Redact-Fields", "body"));
        var browser = new Browser(service);

        Assert.DoesNotContain("the secret", (await browser.GetAsync("/console/messages/" + id)).Html, StringComparison.Ordinal);
        Assert.Contains("REDACTED:", (await browser.GetAsync("/console/messages/" + id)).Html, StringComparison.Ordinal);
        Assert.Equal(403, (await browser.GetAsync($"/console/messages/{id}/body")).Status);
    }

    [Fact]
    public async Task Of_many_attempts_the_responses_of_a_few_are_read_at_a_time()
    {
        await using var store = new CountingStore();
        await using var service = new TestService(store: store, change: services => services.AddFuncStashConsole());
        var attempts = 0;
        await using var destination = await StandIn.StartAsync(async context =>
        {
            context.Response.StatusCode = 500;
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"answer-{++attempts}."));
        });
        var id = await service.PublishAsync(destination.Url, "", ("Upstash-Retries", "29"), ("Upstash-Retry-Delay", "0"));
        await service.DeliverDueAsync();
        Assert.Equal(30, attempts);
        var browser = new Browser(service);
        var before = store.Operations;

        var page = await browser.GetAsync("/console/messages/" + id);

        Assert.InRange(store.Operations - before, 8, 24);
        Assert.Contains("answer-30.", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("answer-22.", page.Text, StringComparison.Ordinal);
        var earlier = page.Links("/console/messages/" + id).First(link => link.EndsWith("attempt=22", StringComparison.Ordinal));
        var further = await browser.GetAsync(earlier);
        Assert.Contains("answer-22.", further.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("answer-30.", further.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Long_texts_and_many_labels_leave_a_list_small()
    {
        await using var service = Consoles.Start();
        for (var i = 0; i < 5; i++)
        {
            var message = service.NewMessage("https://example.com/" + new string('u', 15_000)) with { Labels = [new string('l', 60_000), .. Enumerable.Range(0, 5_000).Select(n => "label" + n)] };
            await service.Get<MessageStore>().CreateAsync([new NewMessage(message)]);
            await service.AddDeadLetterAsync(message, error: new string('e', 10_000));
        }
        var browser = new Browser(service);

        foreach (var path in (string[])["messages", "dead-letters", "live"])
        {
            var page = await browser.GetAsync("/console/" + path);
            Assert.Equal(200, page.Status);
            Assert.InRange(page.Bytes.Length, 1, 40_000);
        }
    }
}
