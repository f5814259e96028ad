using FuncStash.Console.DeadLetters;
using FuncStash.Console.Tests.Running;
using FuncStash.DeadLetters;
using FuncStash.Storage;

namespace FuncStash.Console.Tests.Pages;

public sealed class DeadLetterPageTests
{
    [Fact]
    public async Task They_are_grouped_by_what_failed_alike()
    {
        await using var service = Consoles.Start();
        for (var i = 0; i < 3; i++)
            await service.AddDeadLetterAsync(service.NewMessage("https://a.example.com/" + i), 503);
        await service.AddDeadLetterAsync(service.NewMessage("https://b.example.com/"), 404);
        var browser = new Browser(service);

        var page = await browser.GetAsync("/console/dead-letters");
        Assert.Contains("3 dead letters of a.example.com", page.Text, StringComparison.Ordinal);
        var group = page.Links("/console/dead-letters").First(link => link.Contains("host=a.example.com", StringComparison.Ordinal));
        var narrowed = await browser.GetAsync(group);
        Assert.DoesNotContain("b.example.com", narrowed.Text, StringComparison.Ordinal);
        Assert.Equal(3, narrowed.Html.Split("data-key=").Length - 1);
    }

    [Fact]
    public async Task Chosen_ones_are_sent_again_and_the_page_says_so()
    {
        await using var service = Consoles.Start();
        var ids = new List<DlqId>();
        for (var i = 0; i < 3; i++)
            ids.Add(await service.AddDeadLetterAsync(service.NewMessage("https://example.com/" + i)));
        var browser = new Browser(service);

        var page = await browser.FollowAsync(
            "/console/dead-letters/some", ("do", "retry"), ("id", ids[0].ToString()), ("id", ids[2].ToString()));

        Assert.Contains("2 dead letters sent again.", page.Text, StringComparison.Ordinal);
        // Whoever makes up an address cannot have the console say something.
        Assert.DoesNotContain("Call 555", (await browser.GetAsync("/console/dead-letters?done=Call+555&count=2")).Text, StringComparison.Ordinal);
        Assert.Equal(1, page.Html.Split("data-key=").Length - 1);
        Assert.Equal(2, (await service.CallAsync("GET", "/v2/logs?state=CREATED")).Json["logs"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("retry", "sent again.")]
    [InlineData("delete", "deleted.")]
    public async Task Those_that_are_gone_meanwhile_are_not_counted_as_done(string action, string done)
    {
        await using var service = Consoles.Start();
        var ids = new List<DlqId>();
        for (var i = 0; i < 3; i++)
            ids.Add(await service.AddDeadLetterAsync(service.NewMessage("https://example.com/" + i)));
        var browser = new Browser(service);
        await browser.FollowAsync("/console/dead-letters/some", ("do", "delete"), ("id", ids[0].ToString()));

        var some = await browser.FollowAsync("/console/dead-letters/some", ("do", action), ("id", ids[0].ToString()), ("id", ids[1].ToString()));
        var none = await browser.FollowAsync("/console/dead-letters/some", ("do", action), ("id", ids[0].ToString()), ("id", ids[1].ToString()));

        Assert.Contains($"1 dead letter {done} 1 was gone already", some.Text, StringComparison.Ordinal);
        Assert.Contains($"0 dead letters {done} 2 were gone already", none.Text, StringComparison.Ordinal);
        Assert.Single((await service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray());
    }

    [Fact]
    public async Task Enter_at_a_tick_presses_nothing_and_one_that_is_gone_is_not_linked_to()
    {
        await using var service = Consoles.Start();
        await using var destination = await StandIn.StartAsync(503);
        var id = await service.PublishAsync(destination.Url + "/", "hello", ("Upstash-Retries", "0"));
        await service.DeliverDueAsync();
        var letter = (string)(await service.CallAsync("GET", "/v2/dlq")).Json["messages"]![0]!["dlqId"]!;
        var browser = new Browser(service);

        var list = await browser.GetAsync("/console/dead-letters");
        // The enter key presses the first button of a form.
        Assert.StartsWith("disabled hidden>", list.Html.Split("action=\"dead-letters/some\"")[1].Split("<button ")[1], StringComparison.Ordinal);
        Assert.Contains("1 dead letter of ", list.Text, StringComparison.Ordinal);
        Assert.Contains("Its dead letter", (await browser.GetAsync("/console/messages/" + id)).Text, StringComparison.Ordinal);
        await browser.FollowAsync("/console/dead-letters/some", ("do", "delete"), ("id", letter));
        Assert.DoesNotContain("Its dead letter", (await browser.GetAsync("/console/messages/" + id)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("label=L1", "cannot be narrowed down by label")]
    [InlineData("status=5xx", "invalid status: 5xx")]
    [InlineData("host=", "invalid host")]
    [InlineData("until=yesterday", "invalid until: yesterday")]
    [InlineData("after=there", "invalid after: there")]
    [InlineData("host=a.example.com&host=b.example.com", "host is given twice")]
    public async Task A_condition_that_is_not_understood_is_refused_and_not_left_out(string condition, string reason)
    {
        await using var service = Consoles.Start();
        await service.AddDeadLetterAsync(service.NewMessage("https://example.com/"));
        var browser = new Browser(service);
        var until = service.Now.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var fields = condition.Split('&').Select(part => part.Split('=')).Select(part => (part[0], part[1]));

        Answered[] answers =
        [
            await browser.GetAsync("/console/dead-letters?" + condition),
            await browser.GetAsync("/console/dead-letters/export?" + condition),
            await browser.GetAsync("/console/dead-letters/all?do=delete&" + condition),
            await browser.PostAsync("/console/dead-letters/all", [("do", "delete"), .. fields, .. fields.Any(field => field.Item1 == "until") ? Array.Empty<(string, string)>() : [("until", until)]]),
            await browser.PostAsync("/console/dead-letters/all?" + condition, ("do", "delete"), ("until", until)),
        ];

        Assert.All(answers, answer => Assert.Equal(400, answer.Status));
        Assert.All(answers[..4], answer => Assert.Contains(reason, answer.Text, StringComparison.Ordinal));
        Assert.Single((await service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray());
    }

    [Fact]
    public async Task Ten_thousand_are_sent_again_by_one_answer_to_one_question_and_those_that_fail_after_it_are_not()
    {
        const int Many = 10_000;
        await using var service = Consoles.Start();
        await AddAsync(service, Many);
        var browser = new Browser(service);

        var question = await browser.GetAsync("/console/dead-letters/all?do=retry");
        Assert.Contains("Retry 10,000 dead letters?", question.Text, StringComparison.Ordinal);
        var until = question.Html.Split("name=\"until\" value=\"")[1].Split('"')[0];
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await service.AddDeadLetterAsync(service.NewMessage("https://example.com/later"));
        var answer = await browser.PostAsync("/console/dead-letters/all", ("do", "retry"), ("until", until));

        Assert.Contains("10,000 done . That is all.".Replace(" .", ".", StringComparison.Ordinal), answer.Text, StringComparison.Ordinal);
        Assert.True(answer.Text.Split("done").Length > 10, "it tells how far it is");
        Assert.Single((await service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray());
    }

    [Fact]
    public async Task What_cannot_be_sent_again_is_told_and_stays()
    {
        await using var service = Consoles.Start();
        var letter = await service.AddDeadLetterAsync(service.NewMessage("https://example.com/") with { Body = new byte[300_000], BodyName = "elsewhere" });
        await service.Get<IStore>().Bodies.DeleteAsync((await service.Get<DeadLetterStore>().GetAsync(letter))!.Message.BodyName!);
        var browser = new Browser(service);

        var page = await browser.PostAsync("/console/dead-letters/some", ("do", "retry"), ("id", letter.ToString()));

        Assert.Contains("0 done, 1 failed. That is all.", page.Text, StringComparison.Ordinal);
        Assert.Contains("is gone", page.Text, StringComparison.Ordinal);
        Assert.Contains(letter.ToString(), page.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Some_and_all_are_sent_again_with_changes_and_none_with_one_that_is_refused()
    {
        await using var service = Consoles.Start();
        var ids = new List<DlqId>();
        for (var i = 0; i < 3; i++)
            ids.Add(await service.AddDeadLetterAsync(service.NewMessage("https://example.com/" + i)));
        var browser = new Browser(service);
        Assert.Contains("Upstash-Retries", (await browser.GetAsync("/console/dead-letters/all?do=retry")).Text, StringComparison.Ordinal);

        var refused = await browser.PostAsync("/console/dead-letters/some", ("do", "retry"), ("id", ids[0].ToString()), ("Upstash-Retries", "many"));
        AssertRefusedAtField(refused);
        // The page is the one that was typed into, below the address that was posted to.
        Assert.Contains("/console/dead-letters/some", refused.Links("/console/dead-letters/some"));
        refused = await browser.PostAsync(
            "/console/dead-letters/all", ("do", "retry"), ("until", service.Now.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("q", "example.com"), ("Upstash-Retries", "many"));
        AssertRefusedAtField(refused);
        Assert.Contains("Retry 3 dead letters?", refused.Text, StringComparison.Ordinal);
        Assert.Contains("name=\"q\" value=\"example.com\"", refused.Html, StringComparison.Ordinal);
        Assert.Equal(3, (await service.CallAsync("GET", "/v2/dlq")).Json["messages"]!.AsArray().Count);
        await browser.FollowAsync("/console/dead-letters/some", ("do", "retry"), ("id", ids[0].ToString()), ("Upstash-Retries", "7"), ("Upstash-Delay", "1h"));
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await browser.PostAsync("/console/dead-letters/all", ("do", "retry"), ("until", service.Now.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("Upstash-Label", "again"));

        var sent = (await service.CallAsync("GET", "/v2/logs?state=CREATED")).Json["logs"]!.AsArray();
        Assert.Equal(3, sent.Count);
        Assert.Equal(2, sent.Count(log => (string?)log!["label"] == "again"));
        var first = (string)sent.Single(log => ((string)log!["url"]!).EndsWith("/0", StringComparison.Ordinal))!["messageId"]!;
        Assert.Equal(7, (int)(await service.CallAsync("GET", "/v2/messages/" + first)).Json["maxRetries"]!);
    }

    [Fact]
    public async Task Those_that_fit_are_exported_one_a_line_as_the_API_has_them()
    {
        await using var service = Consoles.Start(Consoles.Secret);
        await service.AddDeadLetterAsync(service.NewMessage("https://a.example.com/"), 503);
        service.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await service.AddDeadLetterAsync(service.NewMessage("https://a.example.com/two"), 503);
        await service.AddDeadLetterAsync(service.NewMessage("https://b.example.com/"), 503);
        var browser = new Browser(service);
        await browser.SignInAsync(Consoles.ReadOnly);

        var export = await browser.GetAsync("/console/dead-letters/export?host=a.example.com");

        Assert.Equal("attachment; filename=\"dead-letters.jsonl\"", export.Headers.ContentDisposition.ToString());
        var lines = export.Html.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Equal((await service.CallAsync("GET", $"/v2/dlq/{second}", token: Consoles.Token)).Text, lines[1]);
        Assert.Contains("dead-letters/export", (await browser.GetAsync("/console/dead-letters")).Html, StringComparison.Ordinal);
    }

    private static void AssertRefusedAtField(Answered page)
    {
        Assert.Equal(400, page.Status);
        var field = page.Html.Split('<').Single(tag => tag.Contains("aria-invalid=\"true\"", StringComparison.Ordinal));
        Assert.Contains("id=\"f-Upstash-Retries\"", field, StringComparison.Ordinal);
        Assert.Contains("value=\"many\"", field, StringComparison.Ordinal);
        Assert.Contains("id=\"f-Upstash-Retries-error\"", page.Html, StringComparison.Ordinal);
        Assert.Contains("<details class=\"changes\" open", page.Html, StringComparison.Ordinal);
    }

    private static async Task AddAsync(TestService service, int many)
    {
        var letters = service.Get<DeadLetterStore>();
        var commits = new List<Commit>();
        for (var i = 0; i < many; i++)
            commits.Add((await letters.AddingAsync(
                new DeadLetter(DlqId.New(service.Now), service.NewMessage("https://example.com/" + i), 500), [], default)).Commit);
        foreach (var some in commits.GroupBy(c => c.PartitionKey).SelectMany(g => g.Chunk(Commit.MaxWrites)))
            Assert.True((await service.Get<IStore>().Tables.CommitAsync(some[0] with { Writes = [.. some.SelectMany(c => c.Writes)] })).Applied);
    }

    [Fact]
    public async Task A_rare_one_is_looked_for_further_on_by_asking_again()
    {
        await using var store = new CountingStore();
        await using var service = new TestService(store: store, change: services => services.AddFuncStashConsole());
        await service.AddDeadLetterAsync(service.NewMessage("https://example.com/", "a rare one"), error: "rare");
        for (var i = 0; i < 5 * DeadLetterSearch.MaxLooked; i++)
        {
            if (i % 500 == 0)
                service.Time.Advance(TimeSpan.FromSeconds(1));
            await service.AddDeadLetterAsync(service.NewMessage("https://example.com/", "common"));
        }
        var browser = new Browser(service);

        store.RowsRead = 0;
        var page = await browser.GetAsync("/console/dead-letters?q=a%20rare%20one");
        // Of each the key and the row; of a part of them once more, for the groups. All would be some 90,000.
        Assert.InRange(store.RowsRead, DeadLetterSearch.MaxLooked, 12 * DeadLetterSearch.MaxLooked);
        Assert.Contains("None yet among the latest that were looked at.", page.Text, StringComparison.Ordinal);
        for (var looks = 0; page.Links("/console/dead-letters").FirstOrDefault(link => link.Contains("after=", StringComparison.Ordinal)) is { } further; looks++)
        {
            Assert.InRange(looks, 0, 4);
            page = await browser.GetAsync(further);
        }
        Assert.Contains("rare", page.Text.Split("Failed")[^1], StringComparison.Ordinal);
        Assert.Contains("Retry 1 dead letter?", (await browser.GetAsync("/console/dead-letters/all?do=retry&q=a%20rare%20one")).Text, StringComparison.Ordinal);
    }
}
