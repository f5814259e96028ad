using FuncStash.Console.Tests.Running;
using FuncStash.DeadLetters;

namespace FuncStash.Console.Tests.Pages;

/// <summary>A form that is sent twice, as by a double click where no script runs, does once what it says.</summary>
public sealed class OnceTests
{
    private static readonly (string, string)[] s_message = [("destination", "https://example.com/a"), ("body", "hello"), ("do", "send")];

    [Theory]
    [InlineData("Publish")]
    [InlineData("Enqueue")]
    [InlineData("Batch")]
    public async Task What_is_sent_twice_is_one_message_and_the_second_ends_at_its_page(string mode)
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var form = (await browser.GetAsync("/console/send")).Fields("send");
        (string, string)[] fields = [.. form, ("mode", mode), ("queue", mode == "Publish" ? "" : "orders"), .. s_message];

        var answers = await Task.WhenAll(browser.PostAsync("/console/send", fields), browser.PostAsync("/console/send", fields));
        var third = await browser.FollowAsync("/console/send", fields);

        var id = (string)Assert.Single(await MessagesAsync(service))!["messageId"]!;
        Assert.All(answers, answer => Assert.StartsWith("/console/messages/" + id, answer.Target("/console/send"), StringComparison.Ordinal));
        Assert.Contains(id, third.Text, StringComparison.Ordinal);
        Assert.Contains("This form was sent before", third.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_sent_twice_to_a_URL_group_says_so()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        await service.CallAsync("POST", "/v2/topics/hooks/endpoints", """{"endpoints":[{"url":"https://example.com/1"},{"url":"https://example.com/2"}]}""");
        (string, string)[] fields = [.. (await browser.GetAsync("/console/send")).Fields("send"), .. s_message, ("destination", "hooks")];

        var first = await browser.FollowAsync("/console/send", fields);
        var second = await browser.FollowAsync("/console/send", fields);

        Assert.Contains("Sent.", first.Text, StringComparison.Ordinal);
        Assert.Contains("This form was sent before", second.Text, StringComparison.Ordinal);
        Assert.Equal(2, (await MessagesAsync(service)).Count);
    }

    [Fact]
    public async Task A_form_that_says_something_else_and_another_form_are_other_messages()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var form = (await browser.GetAsync("/console/send")).Fields("send");

        await browser.FollowAsync("/console/send", [.. form, .. s_message]);
        await browser.FollowAsync("/console/send", [.. form, .. s_message, ("body", "hullo")]);
        await browser.FollowAsync("/console/send", [.. form, .. s_message, ("Upstash-Label", "x")]);
        await browser.FollowAsync("/console/send", [.. form, .. s_message, ("mode", "Enqueue"), ("queue", "orders")]);
        await browser.FollowAsync("/console/send", [.. (await browser.GetAsync("/console/send")).Fields("send"), .. s_message]);

        Assert.Equal(5, (await MessagesAsync(service)).Count);
    }

    [Fact]
    public async Task A_deduplication_id_that_was_typed_in_counts()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var form = (await browser.GetAsync("/console/send")).Fields("send");

        await browser.FollowAsync("/console/send", [.. form, .. s_message, ("Upstash-Deduplication-Id", "mine")]);
        var second = await browser.FollowAsync("/console/send", [.. form, .. s_message, ("Upstash-Deduplication-Id", "mine"), ("body", "hullo")]);

        Assert.Single(await MessagesAsync(service));
        Assert.Contains("under the same deduplication id", second.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_form_is_sent_when_it_is_put_right_and_one_that_was_cancelled_is_sent_anew()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var form = (await browser.GetAsync("/console/send")).Fields("send");
        var refused = await browser.PostAsync("/console/send", [.. form, .. s_message, ("Upstash-Retries", "many")]);
        Assert.Equal(400, refused.Status);

        (string, string)[] right = [.. refused.Fields("send"), ("Upstash-Retries", "3"), ("Upstash-Delay", "1h")];
        var path = (await browser.PostAsync("/console/send", right)).Target("/console/send").Split('?')[0];
        await browser.FollowAsync(path + "/cancel");

        Assert.NotEqual(path, (await browser.PostAsync("/console/send", right)).Target("/console/send").Split('?')[0]);
        Assert.Equal(2, (await MessagesAsync(service)).Count);
    }

    [Fact]
    public async Task The_same_address_has_the_same_form_and_one_without_a_form_leads_to_a_new_one()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        Assert.NotEqual((await browser.GetAsync("/console/send")).Fields("send"), (await browser.GetAsync("/console/send")).Fields("send"));

        var page = await browser.GetAsync("/console/send?form=bad&destination=https%3A%2F%2Fexample.com%2F%3Fa%3Db%26c&body=%C3%BC%0D%0A%26");
        var name = page.Fields("send").Single(field => field.Name == "form").Value;
        Assert.Contains("value=\"https://example.com/?a=b&amp;c\"", page.Html, StringComparison.Ordinal);
        Assert.Contains("ü\n&amp;</textarea>", page.Html.Replace("&#xFC;", "ü", StringComparison.Ordinal).Replace("&#xA;", "\n", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(name, (await browser.GetAsync("/console/send?form=" + name)).Fields("send").Single(field => field.Name == "form").Value);
    }

    [Fact]
    public async Task A_schedule_is_made_once()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        (string, string)[] fields = [.. (await browser.GetAsync("/console/send?mode=schedule")).Fields("send"), .. s_message, ("Upstash-Cron", "0 9 * * *")];

        var answers = await Task.WhenAll(browser.PostAsync("/console/send", fields), browser.PostAsync("/console/send", fields));
        Assert.Equal(answers[0].Target("/console/send").Split('?')[0], answers[1].Target("/console/send").Split('?')[0]);
        Assert.Single((await service.CallAsync("GET", "/v2/schedules")).Json.AsArray());
        Assert.Contains("This form was sent before", (await browser.FollowAsync("/console/send", fields)).Text, StringComparison.Ordinal);

        await browser.FollowAsync("/console/send", [.. fields, ("Upstash-Cron", "0 10 * * *")]);
        Assert.Equal(2, (await service.CallAsync("GET", "/v2/schedules")).Json.AsArray().Count);
    }

    [Fact]
    public async Task A_message_is_sent_again_once_a_schedule_runs_once_and_a_group_is_tried_once()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var id = await service.PublishAsync("https://example.com/", "hello");
        await service.CallAsync("POST", "/v2/schedules/https://example.com/s", "hello", null, ("Upstash-Cron", "0 9 * * *"), ("Upstash-Schedule-Id", "nightly"));
        await service.CallAsync("POST", "/v2/topics/hooks/endpoints", """{"endpoints":[{"url":"https://example.com/1"},{"url":"https://example.com/2"}]}""");

        var all = 1;
        foreach (var (path, action, makes) in new[] { ($"messages/{id}", "send", 1), ("schedules/nightly", "run", 1), ("url-groups/hooks", "test", 2) })
        {
            var form = (await browser.GetAsync("/console/" + path)).Fields($"{path}/{action}");
            var pages = new List<string>();
            for (var i = 0; i < 2; i++)
                pages.Add((await browser.PostAsync($"/console/{path}/{action}", form)).Target($"/console/{path}/{action}").Split('?')[0]);
            Assert.Equal(pages[0], pages[1]);
            Assert.StartsWith(makes == 1 ? "/console/messages/msg_" : "/console/url-groups/hooks", pages[0], StringComparison.Ordinal);
            Assert.Contains("This form was sent before", (await browser.FollowAsync($"/console/{path}/{action}", form)).Text, StringComparison.Ordinal);
            Assert.Equal(all += makes, (await MessagesAsync(service)).Count);
            // One that is shown anew is another.
            var anew = await browser.FollowAsync($"/console/{path}/{action}", (await browser.GetAsync("/console/" + path)).Fields($"{path}/{action}"));
            Assert.Contains("Sent.", anew.Text, StringComparison.Ordinal);
            Assert.Equal(all += makes, (await MessagesAsync(service)).Count);
        }
    }

    [Fact]
    public async Task A_dead_letter_is_sent_again_once_and_what_is_deleted_or_removed_twice_is_so()
    {
        await using var service = Consoles.Start();
        var browser = new Browser(service);
        var letter = await service.AddDeadLetterAsync(service.NewMessage("https://example.com/", "hello"), 500);
        await service.CallAsync("POST", "/v2/schedules/https://example.com/s", "hello", null, ("Upstash-Cron", "0 9 * * *"), ("Upstash-Schedule-Id", "nightly"));
        await browser.FollowAsync("/console/url-groups", ("group", "hooks"), ("url", "https://example.com/"));
        var before = (await MessagesAsync(service)).Count;

        await TwiceAsync("dead-letters/some", ("id", letter.ToString()), ("do", "retry"));
        await TwiceAsync("schedules/nightly/delete");
        await TwiceAsync("url-groups/hooks/remove", ("url", "https://example.com/"));
        await browser.FollowAsync("/console/url-groups", ("group", "hooks"), ("url", "https://example.com/"));
        await TwiceAsync("url-groups/hooks/delete");
        await browser.FollowAsync("/console/queues", ("name", "orders"), ("parallelism", "2"));
        await TwiceAsync("queues/orders/delete");

        Assert.Equal(before + 1, (await MessagesAsync(service)).Count);

        async Task TwiceAsync(string path, params (string, string)[] fields)
        {
            var first = await browser.PostAsync("/console/" + path, fields);
            var second = await browser.PostAsync("/console/" + path, fields);
            Assert.Equal((303, 303, first.Target("/console/" + path).Split('?')[0]), (first.Status, second.Status, second.Target("/console/" + path).Split('?')[0]));
            Assert.DoesNotContain("gone already", (await browser.GetAsync(first.Target("/console/" + path))).Text, StringComparison.Ordinal);
            Assert.Contains("gone already", (await browser.GetAsync(second.Target("/console/" + path))).Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_run_is_restarted_once_and_the_second_click_is_told_so()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        var browser = new Browser(service);
        flow.Status = 500;
        await flow.StartAsync("wfr_a", "p", ("Upstash-Retries", "0"));
        var form = (await browser.GetAsync("/console/workflows/wfr_a")).Fields("workflows/wfr_a/restart");

        await browser.FollowAsync("/console/workflows/wfr_a/restart", form);
        var second = await browser.FollowAsync("/console/workflows/wfr_a/restart", form);

        Assert.Contains("Nothing new was started.", second.Text, StringComparison.Ordinal);
        Assert.Equal(2, (await service.CallAsync("GET", "/v2/workflows/logs")).Json["runs"]!.AsArray().Count);
    }

    private static async Task<System.Text.Json.Nodes.JsonArray> MessagesAsync(TestService service) =>
        (await service.CallAsync("GET", "/v2/logs?groupBy=messageId")).Json["logs"]!.AsArray();
}
