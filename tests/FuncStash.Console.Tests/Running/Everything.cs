
namespace FuncStash.Console.Tests.Running;

/// <summary>A service with one of everything, and the pages that show it.</summary>
internal static class Everything
{
    /// <summary>What is text wherever it stands, though it looks like more.</summary>
    public const string Script = "<script>alert(1)</script><img src=x onerror=alert(2)>";

    /// <summary>Makes one of everything, with <see cref="Script"/> wherever the service lets it be.</summary>
    /// <returns>The address of every page that can be looked at.</returns>
    public static async Task<IReadOnlyList<string>> MakeAsync(TestService service, string token)
    {
        await CallAsync("POST", "/v2/queues", """{"queueName":"orders","parallelism":1}""");
        await CallAsync("POST", "/v2/topics/group/endpoints", """{"endpoints":[{"name":"<script>alert(1)</script>","url":"https://example.com/?q=<script>"}]}""");
        await CallAsync("PATCH", "/v2/topics/group", """{"headers":{"Upstash-Forward-X-Evil":"<script>alert(1)</script>"}}""");
        await CallAsync("POST", "/v2/schedules/https://example.com/?q=<script>", Script,
            ("Upstash-Cron", "CRON_TZ=Europe/Oslo 0 9 * * *"), ("Upstash-Schedule-Id", "nightly"), ("Upstash-Label", Script), ("Upstash-Forward-X-Evil", Script));
        string? id = null;
        foreach (var name in (string[])["one", "two"])
        {
            id = (string)(await CallAsync("POST", "/v2/enqueue/orders/https://example.com/" + name, Script, ("Upstash-Label", Script), ("Upstash-Forward-X-Evil", Script))).Json["messageId"]!;
            await CallAsync("POST", "/v2/publish/https://example.com/" + name, Script,
                ("Upstash-Flow-Control-Key", "acme"), ("Upstash-Flow-Control-Value", "rate=1, parallelism=1"));
        }
        await CallAsync("POST", "/v2/publish/https://example.com/flow?q=<script>", Script,
            ("Upstash-Workflow-RunId", "wfr_a"), ("Upstash-Workflow-Init", "true"), ("Upstash-Workflow-Url", "https://example.com/flow?q=<script>"),
            ("Upstash-Feature-Set", "LazyFetch,InitialBody"), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"), ("Upstash-Label", Script));
        var letter = await service.AddDeadLetterAsync(service.NewMessage("https://example.com/?q=<script>", Script), 500, error: Script);
        return
        [
            "", "messages", "messages?q=" + Uri.EscapeDataString(Script), $"messages/{id}",
            "dead-letters", $"dead-letters/{letter}", "dead-letters/all?do=retry",
            "send", $"send?message={id}", "send?schedule=nightly", "schedules", "schedules/nightly", "schedules/nightly/delete",
            "url-groups", "url-groups/group", "url-groups/group/delete",
            "live", "workflows", "workflows/wfr_a", "settings", "settings/rotate", "queues", "queues/orders", "queues/orders/delete", "flow-control", "flow-control/acme",
            "no/such/page/" + Uri.EscapeDataString(Script),
        ];

        async Task<TestAnswer> CallAsync(string method, string target, string body, params (string, string)[] headers)
        {
            var answer = await service.CallAsync(method, target, body, token, headers);
            Assert.Equal(200, answer.Status);
            return answer;
        }
    }

    /// <summary>Pages that ask something before they act, and so are none for who may only look.</summary>
    public static bool IsQuestion(string path) => path.EndsWith("/delete", StringComparison.Ordinal) || path.EndsWith("/rotate", StringComparison.Ordinal) || path.StartsWith("send", StringComparison.Ordinal) || path.StartsWith("dead-letters/all", StringComparison.Ordinal);
}
