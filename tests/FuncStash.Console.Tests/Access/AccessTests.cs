using FuncStash.Console.Access;
using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Access;

public sealed class AccessTests
{
    [Fact]
    public async Task Without_a_token_there_is_a_form_and_nothing_else()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var id = await service.PublishAsync("https://example.com/secret-path");

        var answer = await new Browser(service).GetAsync("/console/messages");

        Assert.Equal(401, answer.Status);
        Assert.Contains("Sign in", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", answer.Html, StringComparison.Ordinal);
        Assert.DoesNotContain(id, answer.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_signs_in_and_leads_to_what_was_asked_for()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service);

        var answer = await browser.PostAsync("/console/sign-in", ("token", $" {Consoles.Token} "), ("next", "messages?state=failed"));

        Assert.Equal(303, answer.Status);
        Assert.Equal("/console/messages?state=failed", answer.Target("/console/sign-in"));
        var cookie = Assert.Single(answer.Headers.SetCookie)!;
        Assert.Contains("; HttpOnly", cookie, StringComparison.Ordinal);
        Assert.Contains("; SameSite=Strict", cookie, StringComparison.Ordinal);
        // Without one it is that of the request up to its last slash: /console, below whatever prefix.
        Assert.DoesNotContain("Path", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Consoles.Token, cookie, StringComparison.Ordinal);
        Assert.Equal(200, (await browser.GetAsync("/console/messages")).Status);
    }

    [Theory]
    [InlineData("127.0.0.1:8080", "", false)]
    [InlineData("10.1.2.3:8080", "", false)]
    [InlineData("localhost:8080", "same-origin", false)]
    [InlineData("app.example.com", "same-origin", true)]
    public async Task The_cookie_is_secure_where_the_browser_came_by_https(string host, string site, bool isSecure)
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service) { Host = host, Site = site, Origin = $"http://{host}" };

        var answer = await browser.SignInAsync(Consoles.Token);

        Assert.Equal(isSecure, Assert.Single(answer.Headers.SetCookie)!.Contains("; Secure", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("wrong")]
    [InlineData("")]
    public async Task Another_token_is_refused_in_words(string token)
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service);

        var answer = await browser.SignInAsync(token);

        Assert.Equal(401, answer.Status);
        Assert.Contains("none of the service's tokens", answer.Text, StringComparison.Ordinal);
        Assert.Empty(browser.Cookies);
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("../../elsewhere")]
    [InlineData("\\\\evil.example")]
    [InlineData("messages\r\nSet-Cookie: a=b")]
    public async Task Signing_in_leads_nowhere_else(string next)
    {
        await using var service = Consoles.Start(Consoles.Secret);

        var answer = await new Browser(service).PostAsync("/console/sign-in", ("token", Consoles.Token), ("next", next));

        Assert.Equal("/console/", answer.Target("/console/sign-in"));
    }

    [Fact]
    public async Task A_session_ends_after_its_time()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.Token);

        service.Time.Advance(Sessions.Length - TimeSpan.FromSeconds(1));
        Assert.Equal(200, (await browser.GetAsync("/console/messages")).Status);
        service.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, (await browser.GetAsync("/console/messages")).Status);
    }

    [Fact]
    public async Task A_session_ends_with_its_token_and_no_other()
    {
        await using var before = Consoles.Start(Consoles.Secret);
        var sent = await new Browser(before).SignInAsync(Consoles.Token);
        var cookie = sent.Headers.SetCookie.ToString().Split(';')[0];

        await using var same = Consoles.Start(Consoles.Secret with { Tokens = ["a-newer-token-in-front-of-it-here", Consoles.Token] });
        Assert.Equal(200, (await new Browser(same).GetAsync("/console/messages", ("Cookie", cookie))).Status);
        await using var changed = Consoles.Start(Consoles.Secret with { Tokens = ["a-newer-token-in-its-place-here"] });
        Assert.Equal(401, (await new Browser(changed).GetAsync("/console/messages", ("Cookie", cookie))).Status);
    }

    [Theory]
    [InlineData("read", "full")]
    [InlineData(".", ".9")]
    public async Task A_cookie_that_was_changed_is_none(string old, string other)
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var sent = await new Browser(service).SignInAsync(Consoles.ReadOnly);
        var cookie = sent.Headers.SetCookie.ToString().Split(';')[0].Replace(old, other, StringComparison.Ordinal);

        Assert.Equal(401, (await new Browser(service).GetAsync("/console/messages", ("Cookie", cookie))).Status);
    }

    [Fact]
    public async Task The_address_where_a_token_was_refused_leads_to_the_form_and_from_there_in()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service);
        Assert.Equal(401, (await browser.SignInAsync("another")).Status);

        var anew = await browser.GetAsync("/console/sign-in");

        Assert.Equal("/console/", anew.Target("/console/sign-in"));
        var form = await browser.GetAsync("/console/");
        Assert.Equal(401, form.Status);
        var answer = await browser.PostAsync("/console/sign-in", [.. form.Fields("sign-in"), ("token", Consoles.Token)]);
        Assert.Equal(200, (await browser.GetAsync(answer.Target("/console/sign-in"))).Status);
    }

    [Fact]
    public async Task Signing_out_ends_it_for_this_browser()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.Token);

        await browser.PostAsync("/console/sign-out");

        Assert.Equal(401, (await browser.GetAsync("/console/messages")).Status);
    }

    [Fact]
    public async Task A_read_only_token_shows_no_action_and_its_posts_do_nothing()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var id = await service.PublishAsync("https://example.com/", headers: ("Upstash-Delay", "1h"));
        var letter = await service.AddDeadLetterAsync(service.NewMessage("https://example.com/dead"));
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.ReadOnly);

        foreach (var path in (string[])["/console/", "/console/messages", $"/console/messages/{id}", "/console/dead-letters", $"/console/dead-letters/{letter}"])
        {
            var page = await browser.GetAsync(path);
            Assert.Equal(200, page.Status);
            var posts = page.Html.Split("<form").Skip(1).Where(form => form.Contains("method=\"post\"", StringComparison.Ordinal)).ToList();
            // The list's form has no button then.
            Assert.DoesNotContain(posts, form => !form.Contains("sign-out", StringComparison.Ordinal) && form.Split("</form>")[0].Contains("<button", StringComparison.Ordinal));
        }
        var cancel = await browser.PostAsync($"/console/messages/{id}/cancel");
        var retry = await browser.PostAsync("/console/dead-letters/some", ("do", "delete"), ("id", letter.ToString()));

        Assert.Equal((403, 403), (cancel.Status, retry.Status));
        Assert.Contains("read-only", cancel.Text, StringComparison.Ordinal);
        Assert.False((await service.MessageAsync(id))!.Ended);
        Assert.Equal(200, (await service.CallAsync("GET", $"/v2/dlq/{letter}")).Status);
    }

    [Theory]
    [InlineData("cross-site", null)]
    [InlineData("same-site", null)]
    [InlineData("none", null)]
    [InlineData("", null)]
    [InlineData("", "null")]
    [InlineData("", "https://evil.example")]
    [InlineData("", "http://127.0.0.1:8081")]
    [InlineData("cross-site", "http://127.0.0.1:8080")]
    public async Task A_foreign_page_cannot_post(string site, string? origin)
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var id = await service.PublishAsync("https://example.com/", headers: ("Upstash-Delay", "1h"));
        var own = new Browser(service);
        var cookie = (await own.SignInAsync(Consoles.Token)).Headers.SetCookie.ToString().Split(';')[0];
        var foreign = new Browser(service) { Site = site, Origin = origin };
        await foreign.GetAsync("/console/", ("Cookie", cookie));

        var answer = await foreign.PostAsync($"/console/messages/{id}/cancel");

        Assert.Equal(403, answer.Status);
        Assert.False((await service.MessageAsync(id))!.Ended);
    }

    [Theory]
    [InlineData("same-origin", "null")]
    [InlineData("", "http://127.0.0.1:8080")]
    public async Task Its_own_page_can(string site, string origin)
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var browser = new Browser(service) { Site = site, Origin = origin };

        Assert.Equal(303, (await browser.SignInAsync(Consoles.Token)).Status);
    }

    [Fact]
    public async Task A_development_server_is_open_and_its_pages_can_post()
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://example.com/", headers: ("Upstash-Delay", "1h"));
        // What a browser sends with a form of a page that has no referrer.
        var browser = new Browser(service) { Origin = "null" };

        Assert.Equal(200, (await browser.GetAsync("/console/")).Status);
        await browser.FollowAsync($"/console/messages/{id}/cancel");

        Assert.True((await service.MessageAsync(id))!.Ended);
    }

    [Theory]
    [InlineData("document", 200)]
    [InlineData("iframe", 403)]
    [InlineData("empty", 403)]
    public async Task A_link_from_elsewhere_leads_to_a_development_server_and_nothing_else_does(string destination, int status)
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service) { Site = "cross-site" };

        var answer = await browser.GetAsync("/console/", ("Sec-Fetch-Mode", destination == "empty" ? "cors" : "navigate"), ("Sec-Fetch-Dest", destination));

        Assert.Equal(status, answer.Status);
    }

    [Fact]
    public async Task A_server_with_only_public_signing_keys_is_not_open()
    {
        await using var service = Consoles.Start(new() { Tokens = [Consoles.Token] });

        Assert.Equal(401, (await new Browser(service).GetAsync("/console/")).Status);
    }

    [Fact]
    public async Task A_token_in_the_address_signs_nobody_in()
    {
        await using var service = Consoles.Start(Consoles.Secret);

        Assert.Equal(401, (await new Browser(service).GetAsync($"/console/messages?qstash_token={Consoles.Token}")).Status);
    }
}
