using FuncStash.Console.Tests.Running;
using FuncStash.DeadLetters;

namespace FuncStash.Console.Tests.Pages;

public sealed class RunPageTests
{
    [Fact]
    public async Task Runs_are_listed_by_state_id_and_workflow_and_each_shows_its_steps_and_result()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_done", """{"order":7}""", ("Upstash-Label", "seven"));
        await flow.SubmitAsync("wfr_done", WorkflowEndpoint.Step(1, "shipped"));
        await service.DeliverDueAsync();
        await flow.FinishAsync("wfr_done", "\"all well\"");
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await flow.StartAsync("wfr_waits", "p");
        await flow.WaitAsync("wfr_waits", 1, "paid");
        var browser = new Browser(service);

        var list = await browser.GetAsync("/console/workflows");
        Assert.True(list.Text.IndexOf("wfr_waits", StringComparison.Ordinal) < list.Text.IndexOf("wfr_done", StringComparison.Ordinal));
        Assert.DoesNotContain("wfr_waits", (await browser.GetAsync("/console/workflows?state=success")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("wfr_done", (await browser.GetAsync("/console/workflows?q=wfr_w")).Text, StringComparison.Ordinal);
        Assert.Contains("wfr_done", (await browser.GetAsync("/console/workflows?q=" + Uri.EscapeDataString(flow.Url[..^2]))).Text, StringComparison.Ordinal);
        Assert.Contains("No run fits", (await browser.GetAsync("/console/workflows?state=failed")).Text, StringComparison.Ordinal);

        var done = await browser.GetAsync(list.Links("/console/workflows").First(link => link.Contains("wfr_done", StringComparison.Ordinal)));
        Assert.Contains("Succeeded after", done.Text, StringComparison.Ordinal);
        Assert.Contains("s1 Run done", done.Text, StringComparison.Ordinal);
        Assert.Contains("shipped", done.Text, StringComparison.Ordinal);
        Assert.Contains("\"order\": 7", done.Text, StringComparison.Ordinal);
        Assert.Contains("all well", done.Text, StringComparison.Ordinal);
        Assert.Contains("Waits for paid.", (await browser.GetAsync("/console/workflows/wfr_waits")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await browser.GetAsync("/console/workflows/wfr_none")).Status);
    }

    [Fact]
    public async Task One_that_runs_is_cancelled_and_one_that_failed_is_resumed_or_restarted_once()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        var browser = new Browser(service);
        await flow.StartAsync("wfr_a", "p");
        Assert.Contains("The run is cancelled", (await browser.FollowAsync("/console/workflows/wfr_a/cancel")).Text, StringComparison.Ordinal);
        Assert.Equal("RUN_CANCELED", (string)(await flow.LogAsync("wfr_a"))["workflowState"]!);
        Assert.Contains("had ended already", (await browser.FollowAsync("/console/workflows/wfr_a/cancel")).Text, StringComparison.Ordinal);

        foreach (var how in (string[])["resume", "restart"])
        {
            flow.Status = 200;
            await flow.StartAsync("wfr_" + how, "p", ("Upstash-Retries", "0"));
            await flow.SubmitAsync("wfr_" + how, WorkflowEndpoint.Step(1, "one"));
            flow.Status = 500;
            await service.DeliverDueAsync();
            var failed = await browser.GetAsync("/console/workflows/wfr_" + how);
            Assert.Contains("Failed after", failed.Text, StringComparison.Ordinal);
            Assert.Contains("Resume where it failed", failed.Text, StringComparison.Ordinal);

            flow.Status = 200;
            var started = await browser.FollowAsync($"/console/workflows/wfr_{how}/{how}");
            await service.DeliverDueAsync();
            Assert.Contains("Started.", started.Text, StringComparison.Ordinal);
            Assert.Equal(how == "resume" ? ["p", WorkflowEndpoint.Step(1, "one")] : ["p"], flow.Deliveries[^1].Entries);
        }
    }

    [Fact]
    public async Task One_whose_letter_was_written_again_after_it_was_resumed_is_not_offered_for_it()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        flow.Status = 500;
        await flow.StartAsync("wfr_a", "p", ("Upstash-Retries", "0"));
        var id = DlqId.Parse((string)(await flow.LogAsync("wfr_a"))["dlqId"]!);
        var letter = (await service.Get<DeadLetterStore>().GetAsync(id))!;
        Assert.Equal(200, (await service.CallAsync("POST", "/v2/workflows/dlq/resume/" + id)).Status);
        await service.AddDeadLetterAsync(letter.Message, id: id);

        var page = await new Browser(service).GetAsync("/console/workflows/wfr_a");

        Assert.Contains("Failed after", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Resume where it failed", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_a_message_that_a_run_waits_for_ends_the_run()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_a", "p");
        var sleeping = (string)(await flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "slept"), ("Upstash-Delay", "1h"))).Json["messageId"]!;
        var browser = new Browser(service);
        Assert.DoesNotContain("Send again", (await browser.GetAsync("/console/messages/" + sleeping)).Text, StringComparison.Ordinal);

        await browser.FollowAsync($"/console/messages/{sleeping}/cancel");

        Assert.Equal("RUN_CANCELED", (string)(await flow.LogAsync("wfr_a"))["workflowState"]!);
        Assert.Equal(400, (await browser.PostAsync($"/console/messages/{sleeping}/send")).Status);
    }

    [Fact]
    public async Task A_step_with_a_large_result_has_its_name_and_all_of_the_result_on_a_click()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_a", "p");
        await flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, new string('x', 20_000) + "the end"));
        await service.DeliverDueAsync();
        var browser = new Browser(service);

        var page = await browser.GetAsync("/console/workflows/wfr_a");

        Assert.Contains("s1 Run done", page.Text, StringComparison.Ordinal);
        Assert.Contains("xxxx", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("the end", page.Text, StringComparison.Ordinal);
        Assert.Contains("Load all 19.5 KiB", page.Text, StringComparison.Ordinal);
        var whole = await browser.GetAsync(page.Links("/console/workflows/wfr_a").Single(link => link.Contains("step=1", StringComparison.Ordinal)));
        Assert.Contains("the end", whole.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Load all", whole.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_redacted_is_shown_as_such()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_a", "the secret", ("Upstash-Redact-Fields", "body, header[Mine]"), ("Upstash-Forward-Mine", "private"));
        await flow.SubmitAsync("wfr_a", WorkflowEndpoint.Step(1, "the outcome"));
        await service.DeliverDueAsync();
        await flow.FinishAsync("wfr_a", "\"the result\"");

        var page = await new Browser(service).GetAsync("/console/workflows/wfr_a?body=all");

        foreach (var word in (string[])["the secret", "private", "the outcome", "the result"])
            Assert.DoesNotContain(word, page.Text, StringComparison.Ordinal);
        Assert.Contains("Redacted, as its publisher asked", page.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wfr a b")]
    [InlineData("wfr|a|b")]
    [InlineData("wfr_a&b=c;d")]
    [InlineData("wfr_a,wfr_b")]
    [InlineData("...")]
    [InlineData("wfr+a\"<b>'")]
    public async Task The_links_of_a_run_lead_to_it_whatever_its_id(string id)
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_b", "another");
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await flow.StartAsync(id, "of this run");
        service.Time.Advance(TimeSpan.FromSeconds(1));
        await flow.StartAsync("wfr_a", "another");
        var browser = new Browser(service);

        var list = await browser.GetAsync("/console/workflows");
        var pages = await Task.WhenAll(list.Links("/console/workflows")
            .Where(link => link.StartsWith("/console/workflows/", StringComparison.Ordinal)).Select(link => browser.GetAsync(link)));

        Assert.Equal(3, pages.Length);
        Assert.All(pages, page => Assert.Equal(200, page.Status));
        Assert.Single(pages, page => page.Text.Contains("of this run", StringComparison.Ordinal));
        var named = await browser.GetAsync("/console/workflows/" + Uri.EscapeDataString(id));
        Assert.Contains("of this run", named.Text, StringComparison.Ordinal);
        var cancelled = await browser.FollowAsync($"/console/workflows/{Uri.EscapeDataString(id)}/cancel");
        Assert.Contains("of this run", cancelled.Text, StringComparison.Ordinal);
        Assert.Contains("Cancelled after", cancelled.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a%b")]
    [InlineData("a?b")]
    [InlineData("a#b")]
    public async Task An_id_that_no_link_can_hold_is_refused_at_the_trigger(string id)
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);

        Assert.Equal(400, (await flow.TriggerAsync(id, "p")).Status);
        Assert.Equal(400, (await service.CallAsync("POST", "/v2/trigger/" + flow.Url, "p", null, ("Upstash-Workflow-RunId", id))).Status);
    }

    [Fact]
    public async Task Headers_that_a_call_was_answered_with_are_redacted_as_others_are()
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        await flow.StartAsync("wfr_a", "p", ("Upstash-Redact-Fields", "header"));
        await flow.SubmitAsync(
            "wfr_a", """{"stepId":1,"stepName":"c","stepType":"Call","out":"{\"status\":200,\"header\":{\"set-cookie\":[\"private\"]},\"body\":\"of all\"}","concurrent":1}""");

        var page = await new Browser(service).GetAsync("/console/workflows/wfr_a");

        Assert.Contains("of all", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("private", page.Text, StringComparison.Ordinal);
    }
}
