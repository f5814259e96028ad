using System.Text;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace FuncStash.Console.Tests.Browsers;

/// <summary>Every page, light and dark, wide and on a phone, is one that axe finds nothing serious about, and no text of a row lies on another.</summary>
public abstract class AccessibilityTests(HostFixture hosts, Chromium chromium) : BrowserTests(hosts, chromium)
{
    private const string Overlaps = """
        [...document.querySelectorAll('.list tbody tr')].flatMap(row => {
          const texts = [...row.cells].flatMap(cell => {
            const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = []
            // What is cut off lies on nothing.
            const end = (element, right) => element === row ? right : end(element.parentElement,
              getComputedStyle(element).overflowX === 'visible' ? right : Math.min(right, element.getBoundingClientRect().right))
            while (walker.nextNode()) {
              const range = document.createRange(), text = walker.currentNode
              range.selectNodeContents(text)
              if (text.data.trim() && !text.parentElement.closest('.sr')) found.push(...[...range.getClientRects()].map(
                box => ({ cell, text: text.data, box: { left: box.left, right: end(text.parentElement, box.right), top: box.top, bottom: box.bottom } })))
            }
            return found
          })
          return texts.flatMap((a, i) => texts.slice(i + 1).filter(b => a.cell !== b.cell && a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1
            && a.box.top < b.box.bottom - 1 && b.box.top < a.box.bottom - 1).map(b => `${a.text} | ${b.text}`))
        }).join('; ')
        """;

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    public async Task Nothing_serious_is_found_on_any_page(ColorScheme scheme, int width)
    {
        var label = Unique("label");
        var id = await FailAsync("/" + label, label);
        var letter = (string)(await Eventually.GetAsync(
            async () => (await Wire.GetAsync("/v2/dlq?label=" + label)).Json["messages"]!.AsArray(), letters => letters.Count == 1, _ => label))[0]!["dlqId"]!;
        await Wire.SendAsync(HttpMethod.Post, "/v2/queues", Encoding.UTF8.GetBytes($$"""{"queueName":"{{label}}"}"""));
        await Wire.SendAsync(HttpMethod.Post, $"/v2/flowControl/{label}/pin?rate=3&parallelism=2");
        await Wire.SendAsync(HttpMethod.Post, $"/v2/topics/{label}/endpoints", Encoding.UTF8.GetBytes($$"""{"endpoints":[{"url":"{{Receiver.Url("/" + label)}}"}]}"""));
        await Wire.SendAsync(HttpMethod.Post, "/v2/schedules/" + Receiver.Url("/" + label), [], [("Upstash-Cron", "0 9 1 1 *"), ("Upstash-Schedule-Id", label)]);
        await Wire.PublishAsync(
            Receiver.Url("/" + label), "p", ("Upstash-Workflow-RunId", label), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Url", Receiver.Url("/" + label)),
            ("Upstash-Feature-Set", "LazyFetch,InitialBody"), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"));
        var page = await NewPageAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 800 }, BypassCSP = true });

        foreach (var path in (string[])["", "messages", "messages?label=none", "messages/" + id, "dead-letters", "dead-letters/" + letter, "dead-letters/all?do=retry", "send", "send?mode=schedule", "send?message=" + id, "live", "workflows", "workflows/" + label, "settings", "settings/rotate", "schedules", "schedules/" + label, "schedules/" + label + "/delete", "url-groups", "url-groups/" + label, "queues", "queues/" + label, "flow-control", "flow-control/" + label, "no/such/page"])
        {
            var answer = await page.GotoAsync(Console + path);
            Assert.Equal((path, path.StartsWith("no/", StringComparison.Ordinal) ? 404 : 200), (path, answer!.Status));
            var found = await page.RunAxe();
            var serious = found.Violations.Where(violation => violation.Impact is "serious" or "critical")
                .Select(violation => $"{path}: {violation.Id}: {violation.Help}: {string.Join(", ", violation.Nodes.Select(node => node.Html))}");
            Assert.Empty(serious);
            Assert.Equal((path, ""), (path, await page.EvaluateAsync<string>(Overlaps)));
        }
    }
}

public sealed class AccessibilityOnServer(SqliteHost hosts, Chromium chromium) : AccessibilityTests(hosts, chromium);

public sealed class AccessibilityOnFunctions(FunctionsHost hosts, Chromium chromium) : AccessibilityTests(hosts, chromium);
