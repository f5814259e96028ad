using FuncStash.Console.Tests.Running;

namespace FuncStash.Console.Tests.Pages;

/// <summary>Payloads as they are shown, wherever there is one.</summary>
public sealed class PayloadPageTests
{
    [Theory]
    [InlineData("""{"s":"\ud800"}""")]
    [InlineData("""["\udfff"]""")]
    [InlineData("""{"\udc00":1}""")]
    [InlineData("""["\ude00\ud83d"]""")]
    public async Task JSON_with_half_of_a_character_is_shown_as_it_was_sent(string json)
    {
        await using var service = Consoles.Start();
        await using var flow = await WorkflowEndpoint.StartAsync(service);
        var id = await service.PublishAsync("https://example.com/", json);
        var letter = await service.AddDeadLetterAsync(service.NewMessage("https://example.com/") with { Body = System.Text.Encoding.UTF8.GetBytes(json) });
        await service.CallAsync("POST", "/v2/schedules/https://example.com/s", json, null, ("Upstash-Cron", "0 9 * * *"), ("Upstash-Schedule-Id", "nightly"));
        await flow.StartAsync("wfr_a", json);
        await flow.SubmitAsync("wfr_a", $$"""{"stepId":1,"stepName":"half","stepType":"Run","out":{{json}},"concurrent":1}""");
        await service.DeliverDueAsync();
        var browser = new Browser(service);

        foreach (var path in (string[])[$"messages/{id}", $"dead-letters/{letter}", "schedules/nightly", "workflows/wfr_a"])
        {
            foreach (var query in (string[])["", "?body=all"])
            {
                var page = await browser.GetAsync($"/console/{path}{query}");
                Assert.Equal((path, 200), (path, page.Status));
                Assert.Contains(json, page.Text, StringComparison.Ordinal);
            }
        }
        Assert.Contains("half Run done", (await browser.GetAsync("/console/workflows/wfr_a")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"a\":\"\U0001F600 é\"}", "{ \"a\": \"\U0001F600 é\" }")]
    [InlineData("{\"a\":\"\\ud83d\\ude00\"}", "{ \"a\": \"\U0001F600\" }")]
    [InlineData("{\"a\":\"\\\\ud83d\\\\ude00\"}", "{ \"a\": \"\\\\ud83d\\\\ude00\" }")]
    public async Task JSON_that_is_laid_out_has_every_character_as_it_is(string json, string shown)
    {
        await using var service = Consoles.Start();
        var id = await service.PublishAsync("https://example.com/", json);

        var page = await new Browser(service).GetAsync("/console/messages/" + id);

        Assert.Contains(shown, page.Text, StringComparison.Ordinal);
    }
}
