using System.Text;
using Microsoft.Playwright;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>What a page looks like when there is nothing, when something was refused, asked or done: light and dark, axe finds nothing serious about it.</summary>
public abstract class StateTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    protected override bool HasOwnHost => true;

    private static readonly string[] s_lists = ["messages", "dead-letters", "workflows", "live", "schedules", "url-groups", "queues", "flow-control"];

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Nothing_serious_is_found_in_any_state(ColorScheme scheme)
    {
        var page = await NewPageAsync(new() { ColorScheme = scheme, BypassCSP = true });
        foreach (var list in s_lists.Prepend(""))
            await LookAsync(page, list);
        var (id, letter) = await MakeAsync();
        foreach (var list in s_lists)
            await LookAsync(page, list + "?q=nothing-has-this");

        foreach (var path in (string[])
            ["messages/" + id + "?done=sent", "messages/" + id + "?body=all", "dead-letters/all?do=retry", "dead-letters/all?do=delete", "dead-letters/all?do=delete&q=nothing-has-this",
             "queues/line", "queues/line/delete", "url-groups/group/delete", "schedules/paused", "flow-control/pinned",
             "workflows?state=failed", "workflows/wfr_failed", "workflows/wfr_done", "workflows/wfr_cancelled", "messages?state=waiting", "send?message=" + id])
            await LookAsync(page, path);
        foreach (var waiting in (await Wire.GetAsync("/v2/events?groupBy=messageId")).Json["events"]!.AsArray())
            await LookAsync(page, "messages/" + (string)waiting!["messageId"]!);
        foreach (var path in (string[])["no/such/page", "messages/msg_none", "dead-letters/1-0", "queues/none", "workflows/none"])
            await LookAsync(page, path, 404);

        foreach (var (name, value) in new[] { ("destination", "ftp://x"), ("headers", "no colon"), ("more", "no colon"), ("Upstash-Retries", "many"), ("Upstash-Callback", "x"), ("Upstash-Delay", "soon") })
            await PostAsync(page, "send", 400, [.. new[] { ("mode", "Publish"), ("destination", "https://example.com") }.Where(field => field.Item1 != name), (name, value)]);
        await PostAsync(page, "send", 400, ("mode", "Schedule"), ("destination", "https://example.com"), ("Upstash-Cron", "never"));
        await PostAsync(page, "send", 400, ("mode", "Enqueue"), ("destination", "https://example.com"), ("queue", "a b"));
        await PostAsync(page, "send", 200, ("mode", "Publish"), ("destination", "https://example.com"), ("do", "code"));
        await PostAsync(page, "queues", 400, ("name", "a b"), ("parallelism", "0"));
        await PostAsync(page, "queues/line/parallelism", 400, ("parallelism", "0"));
        await PostAsync(page, "flow-control/pinned/pin", 400, ("rate", "0"));
        await PostAsync(page, "url-groups", 400, ("group", "new"), ("url", "ftp://x"));
        await PostAsync(page, "url-groups/group/add", 400, ("url", "ftp://x"));
        await PostAsync(page, "settings/check", 200, ("signature", "none"));
        await PostAsync(page, "settings/check", 400, ("signature", "none"), ("body", "!"), ("base64", "true"));
        await PostAsync(page, "dead-letters/some", 400, ("id", letter), ("do", "retry"), ("Upstash-Retries", "many"));
        await PostAsync(page, "dead-letters/all", 400, ("do", "retry"), ("until", "9999999999999"), ("Upstash-Retries", "many"));
        var ofRun = (string)(await Wire.GetAsync("/v2/workflows/dlq")).Json["messages"]![0]!["dlqId"]!;
        // One of a run cannot be sent again like that, which the page that ends the action says.
        await PostAsync(page, "dead-letters/some", 200, ("id", ofRun), ("do", "retry"));
        await PostAsync(page, "dead-letters/all", 200, ("do", "delete"), ("until", "9999999999999"));
        await LookAsync(page, "dead-letters?done=deleted&count=1");
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Nothing_serious_is_found_where_a_token_was_none(ColorScheme scheme)
    {
        await using var data = await Hosts.NewDataAsync();
        await using var host = await Hosts.StartAsync(data, credentials: new Credentials(
            "a-token-that-only-this-test-knows", "sig_0123456789012345678901234567", "sig_7654321076543210765432107654"));
        var page = await NewPageAsync(new() { ColorScheme = scheme, BypassCSP = true });
        await page.GotoAsync(host.Url.GetLeftPart(UriPartial.Authority) + "/console/messages");
        await page.GetByLabel("Token").FillAsync("another-token");

        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await Assertions.Expect(page.GetByLabel("Token")).ToHaveAttributeAsync("aria-invalid", "true");
        await AssertNothingSeriousAsync(page);
    }

    private async Task<(string Message, string Letter)> MakeAsync()
    {
        await FailAsync("/down", "failed");
        var letter = (string)(await Eventually.GetAsync(
            async () => (await Wire.GetAsync("/v2/dlq")).Json["messages"]!.AsArray(), letters => letters.Count == 1, _ => "no dead letter"))[0]!["dlqId"]!;
        var id = await Wire.PublishAsync(Receiver.Url("/fine"), new string('x', 40_000), ("Upstash-Callback", Receiver.Url("/told")));
        await Wire.StatesUntilAsync(id, "DELIVERED");
        await SendAsync("queues", """{"queueName":"line","paused":true}""");
        await Wire.PublishAsync(Receiver.Url("/fine"), "\0\u0001", ("Upstash-Queue-Name", "line"));
        await Wire.PublishAsync(Receiver.Url("/fine"), "x", ("Upstash-Delay", "1h"), ("Upstash-Redact-Fields", "body"), ("Upstash-Label", "a, b"));
        await SendAsync("flowControl/pinned/pin?rate=3&parallelism=2", "");
        await SendAsync("flowControl/pinned/pause", "");
        await SendAsync("topics/group/endpoints", $$"""{"endpoints":[{"url":"{{Receiver.Url("/group")}}"}]}""");
        await Wire.SendAsync(HttpMethod.Post, "/v2/schedules/" + Receiver.Url("/x"), [], [("Upstash-Cron", "0 9 1 1 *"), ("Upstash-Schedule-Id", "paused")]);
        await SendAsync("schedules/paused/pause", "");
        Receiver.Answers("/down-too", Answer.Of(500));
        foreach (var (run, path) in new[] { ("wfr_failed", "/down-too"), ("wfr_done", "/run"), ("wfr_cancelled", "/run") })
        {
            await Wire.PublishAsync(
                Receiver.Url(path), "p", ("Upstash-Workflow-RunId", run), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Url", Receiver.Url(path)), ("Upstash-Retries", "0"),
                ("Upstash-Feature-Set", "LazyFetch,InitialBody"), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"));
        }
        await Wire.SendAsync(HttpMethod.Delete, "/v2/workflows/runs/wfr_done?cancel=false", Encoding.UTF8.GetBytes("\"done\""));
        await Wire.SendAsync(HttpMethod.Delete, "/v2/workflows/runs/wfr_cancelled");
        await Eventually.GetAsync(
            async () => (await Wire.GetAsync("/v2/workflows/logs?state=RUN_FAILED")).Json["runs"]!.AsArray(), runs => runs.Count == 1, _ => "the run has not failed");
        return (id, letter);

        Task<WireAnswer> SendAsync(string path, string body) => Wire.SendAsync(HttpMethod.Post, "/v2/" + path, Encoding.UTF8.GetBytes(body));
    }

    private async Task LookAsync(IPage page, string path, int status = 200)
    {
        Assert.Equal((path, status), (path, (await page.GotoAsync(Console + path))!.Status));
        await AssertNothingSeriousAsync(page);
    }

    // What a form would send, without what the browser would refuse before.
    private async Task PostAsync(IPage page, string path, int status, params (string Name, string Value)[] fields)
    {
        await page.GotoAsync(Console + "settings");
        // Both before the page goes: one that has gone by the time it is looked for is waited for in vain.
        var answer = page.WaitForResponseAsync(response => response.Request.Method == "POST");
        var shown = page.WaitForURLAsync(url => !url.EndsWith("/settings", StringComparison.Ordinal));
        await page.EvaluateAsync(
            """
            ([path, fields]) => {
                const form = document.createElement('form');
                form.method = 'post';
                form.action = path;
                for (const [name, value] of fields) {
                    const input = document.createElement('textarea');
                    input.name = name;
                    input.value = value;
                    form.append(input);
                }
                document.body.append(form);
                form.submit();
            }
            """, new object[] { path, fields.Select(field => new[] { field.Name, field.Value }).ToArray() });
        Assert.Equal((path, status), (path, (await answer).Status));
        await shown;
        if (status == 400)
            Assert.NotEqual(0, await page.Locator("[role=alert], .notice.bad").CountAsync());
        await AssertNothingSeriousAsync(page);
    }
}

public sealed class StatesOnServer(SqliteHost hosts, Chromium chromium) : StateTests(hosts, chromium);

public sealed class StatesOnFunctions(FunctionsHost hosts, Chromium chromium) : StateTests(hosts, chromium);
