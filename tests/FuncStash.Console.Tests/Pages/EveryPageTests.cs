using System.Text.RegularExpressions;
using FuncStash.Console.Tests.Running;
using FuncStash.Settings;

namespace FuncStash.Console.Tests.Pages;

/// <summary>What holds for every page.</summary>
public sealed class EveryPageTests
{
    // A post, for what it is given may be long and is not for an address; it changes nothing.
    private const string OnlyLooks = "settings/check";

    [Fact]
    public async Task It_shows_what_others_wrote_as_text_under_the_strict_policy_and_holds_under_any_prefix()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var paths = await Everything.MakeAsync(service, Consoles.Token);
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.Token);

        foreach (var path in paths)
        {
            var page = await browser.GetAsync("/console/" + path);
            Assert.Equal((path, path.StartsWith("no/", StringComparison.Ordinal) ? 404 : 200), (path, page.Status));
            Assert.Contains($">{ProductVersion.Text}</span>", page.Html, StringComparison.Ordinal);
            Assert.DoesNotContain("<script>", page.Html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img src=x", page.Html, StringComparison.OrdinalIgnoreCase);
            // Without the values of attributes, which may say anything.
            Assert.DoesNotMatch("<[^>]* (style|on[a-z]+)=", Regex.Replace(page.Html, "\"[^\"]*\"", "\"\""));
            Assert.StartsWith("default-src 'none'", page.Headers.ContentSecurityPolicy.ToString(), StringComparison.Ordinal);
            Assert.Equal("no-store", page.Headers.CacheControl.ToString());
            Assert.All(page.Links("/some/prefix/console/" + path), link => Assert.StartsWith("/some/prefix/console/", link, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("/console/")]
    [InlineData("/console/messages?q=a&state=failed")]
    [InlineData("/console/dead-letters/all?do=retry&host=b")]
    [InlineData("/console/send?message=none&form=0123456789abcdefghijkl")]
    [InlineData("/console/https://example.com/?a=b")]
    [InlineData("/console/javascript:alert(1)")]
    public async Task To_skip_to_the_content_stays_on_the_page_with_all_that_its_address_says(string path)
    {
        await using var service = Consoles.Start();

        var page = await new Browser(service).GetAsync(path);

        var skip = Regex.Match(page.Html, "<a class=\"skip\" href=\"([^\"]*)#main\"").Groups[1].Value;
        var root = new Uri(new Uri("http://host/prefix" + path), Regex.Match(page.Html, "<base href=\"([^\"]*)\"").Groups[1].Value);
        Assert.Equal("http://host/prefix" + path, new Uri(root, System.Net.WebUtility.HtmlDecode(skip)).AbsoluteUri);
    }

    [Fact]
    public async Task It_shows_no_action_to_who_may_only_look()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        var paths = await Everything.MakeAsync(service, Consoles.Token);
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.ReadOnly);

        foreach (var path in paths)
        {
            var page = await browser.GetAsync("/console/" + path);
            if (Everything.IsQuestion(path))
            {
                Assert.Equal((path, 403), (path, page.Status));
                continue;
            }
            var posts = page.Html.Split("<form").Skip(1).Select(form => form.Split("</form>")[0])
                .Where(form => form.Contains("method=\"post\"", StringComparison.Ordinal) && !form.Contains("sign-out", StringComparison.Ordinal) && !form.Contains(OnlyLooks, StringComparison.Ordinal));
            Assert.DoesNotContain(posts, form => form.Contains("<button", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task No_post_of_a_foreign_page_or_of_who_may_only_look_does_anything()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        await Everything.MakeAsync(service, Consoles.Token);
        var posts = service.All<Serving.IPages>().SelectMany(pages => pages.Routes)
            .Where(route => route.Method == "POST" && route.Access > FuncStash.Access.AccessLevel.None).ToList();
        Assert.NotEmpty(posts);
        var (looking, foreign) = (new Browser(service), new Browser(service) { Site = "cross-site" });
        await looking.SignInAsync(Consoles.ReadOnly);

        foreach (var route in posts)
        {
            var isLook = route.Pattern == "/" + OnlyLooks;
            Assert.Equal(isLook ? FuncStash.Access.AccessLevel.Read : FuncStash.Access.AccessLevel.Full, route.Access);
            var path = "/console" + route.Pattern.Replace("{name}", "orders", StringComparison.Ordinal).Replace("{id}", "nightly", StringComparison.Ordinal).Replace("{key}", "acme", StringComparison.Ordinal);
            Assert.Equal((path, isLook ? 200 : 403), (path, (await looking.PostAsync(path)).Status));
            Assert.Equal((path, 403), (path, (await foreign.PostAsync(path)).Status));
        }
        Assert.Equal(200, (await service.CallAsync("GET", "/v2/schedules/nightly", token: Consoles.Token)).Status);
        Assert.Equal(200, (await service.CallAsync("GET", "/v2/queues/orders", token: Consoles.Token)).Status);
    }
}
