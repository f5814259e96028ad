using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

public sealed class UrlGroupPageTests
{
    [Fact]
    public async Task Endpoints_are_added_tried_and_removed_and_each_shows_what_it_answered_last()
    {
        await using var service = Consoles.Start();
        await using var good = await StandIn.StartAsync(_ => Task.CompletedTask);
        await using var bad = await StandIn.StartAsync(418);
        var browser = new Browser(service);

        await browser.FollowAsync("/console/url-groups", ("group", "hooks"), ("name", "good"), ("url", good.Url + "/a"));
        await browser.FollowAsync("/console/url-groups/hooks/add", ("url", bad.Url + "/b"));
        Assert.Contains("Sent.", (await browser.FollowAsync("/console/url-groups/hooks/test")).Text, StringComparison.Ordinal);
        await service.DeliverDueAsync();
        var page = await browser.GetAsync("/console/url-groups/hooks");

        Assert.Contains("/a good delivered now", page.Text, StringComparison.Ordinal);
        Assert.Matches("/b attempt failed status 418 destination answered", page.Text);
        Assert.Contains("Removed.", (await browser.FollowAsync("/console/url-groups/hooks/remove", ("name", "good"), ("url", good.Url + "/a"))).Text, StringComparison.Ordinal);
        var left = (await service.CallAsync("GET", "/v2/topics/hooks")).Json["endpoints"]!.AsArray();
        Assert.Equal(bad.Url + "/b", (string)Assert.Single(left)!["url"]!);
        // With the last one goes the group.
        Assert.Contains("No URL groups yet", (await browser.FollowAsync("/console/url-groups/hooks/remove", ("url", bad.Url + "/b"))).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_stands_at_the_form_with_what_was_typed_in()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        await browser.FollowAsync("/console/url-groups", ("group", "hooks"), ("url", "https://example.com/"));

        var page = await browser.PostAsync("/console/url-groups/hooks/add", ("url", "ftp://example.com/"), ("name", "mine"));

        Assert.Equal(400, page.Status);
        Assert.Contains("invalid url ftp://example.com/", page.Text, StringComparison.Ordinal);
        Assert.Contains("value=\"ftp://example.com/\"", page.Html, StringComparison.Ordinal);
        Assert.Contains("value=\"mine\"", page.Html, StringComparison.Ordinal);
        Assert.Equal(400, (await browser.PostAsync("/console/url-groups", ("group", "no name"), ("url", "https://example.com/"))).Status);
    }

    [Fact]
    public async Task It_is_deleted_after_a_question()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        await browser.FollowAsync("/console/url-groups", ("group", "hooks"), ("url", "https://example.com/"));

        Assert.Contains("Delete URL group hooks with 1 endpoint?", (await browser.GetAsync("/console/url-groups/hooks/delete")).Text, StringComparison.Ordinal);
        await browser.FollowAsync("/console/url-groups/hooks/delete");

        Assert.Equal(404, (await service.CallAsync("GET", "/v2/topics/hooks")).Status);
    }
}
