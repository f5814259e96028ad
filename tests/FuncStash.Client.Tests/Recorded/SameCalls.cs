namespace FuncStash.Client.Tests.Recorded;

/// <summary>The calls of record.mjs, made with this client.</summary>
internal static class SameCalls
{
    private const string Url = "https://api.example.com/hooks/orders?source=shop&n=1";
    private static readonly DateTimeOffset s_from = DateTimeOffset.FromUnixTimeMilliseconds(1767225600000);

    private static MessageBody Json => MessageBody.FromJson(new Order(42, "chair"), CallJson.Default.Order);

    public static IReadOnlyDictionary<string, Func<QStashClient, Task>> All { get; } = new Dictionary<string, Func<QStashClient, Task>>
    {
        ["publish"] = c => c.PublishAsync(Url, "hello"),
        ["publish without a body"] = c => c.PublishAsync("https://api.example.com"),
        ["publish bytes"] = c => c.PublishAsync(Url, new byte[] { 0, 255, 254, 128 }),
        ["publish JSON"] = c => c.PublishJsonAsync(Url, new Order(42, "chair"), CallJson.Default.Order),
        ["publish JSON to a group"] = c => c.PublishJsonAsync("orders", new { id = 42, name = "chair" }),
        ["publish with everything"] = c => c.PublishAsync(Url, "<a/>", new()
        {
            Method = HttpMethod.Put,
            Headers = { ["Content-Type"] = "application/xml", ["X-Tenant"] = "acme", ["Authorization"] = "Bearer theirs" },
            Delay = TimeSpan.FromSeconds(90), NotBefore = s_from, DeduplicationId = "order-42", Retries = 5,
            RetryDelay = "1000 * (1 + retried)", Callback = "https://api.example.com/done",
            FailureCallback = "https://api.example.com/failed?x=1", Timeout = TimeSpan.FromSeconds(1.5),
            FlowControl = new("acme") { Parallelism = 3, Rate = 5, Period = TimeSpan.FromMinutes(1) }, Labels = ["billing", "eu"],
            Redact = new() { Body = true, Headers = ["Authorization", "X-Tenant"] },
        }),
        ["publish with content-based deduplication"] = c => c.PublishAsync(Url, "hello", new() { ContentBasedDeduplication = true }),
        ["publish with no retries"] = c => c.PublishAsync(Url, "hello", new() { Retries = 0 }),
        ["publish with a rate alone"] = c => c.PublishAsync(Url, options: new() { FlowControl = new("k") { Rate = 10 } }),
        ["publish with all headers redacted"] = c => c.PublishAsync(Url, options: new() { Redact = new() { AllHeaders = true } }),
        ["publish with settings by name"] = c => c.PublishAsync(Url, options: new()
        {
            Callback = new("https://api.example.com/done") { Retries = 1, Method = HttpMethod.Put, Headers = { ["X-Tenant"] = "acme" } },
        }),
        ["publish a GET"] = c => c.PublishAsync(Url, options: new() { Method = HttpMethod.Get }),
        ["enqueue"] = c => c.EnqueueAsync("mail", Url, "hello", new() { Retries = 1 }),
        ["enqueue JSON"] = c => c.EnqueueAsync("mail", Url, Json, new() { Delay = TimeSpan.FromSeconds(10) }),
        ["enqueue to a group"] = c => c.EnqueueAsync("mail", "orders", Json),
        ["batch"] = c => c.BatchAsync(
        [
            new(Url, Json, new() { Retries = 2, Headers = { ["X-Tenant"] = "acme" } }),
            new("orders", Json, new() { Labels = ["a"] }),
            new(Url, Json, new() { DeduplicationId = "d1" }) { QueueName = "mail" },
        ]),
        ["batch of texts with a type"] = c => c.BatchAsync(
            [new(Url, "größe <&>", new() { Headers = { ["Content-Type"] = "text/csv" } }), new(Url)]),
        ["get a message"] = c => c.Messages.GetAsync("msg_1"),
        ["cancel a message"] = c => c.Messages.CancelAsync("msg_1"),
        ["cancel messages"] = c => c.Messages.CancelManyAsync(["msg_1", "msg_2"]),
        ["cancel by filter"] = c => c.Messages.CancelWhereAsync(
            new()
            {
                Urls = ["https://a.example.com/x?y=1,2", "https://b.example.com"], UrlGroups = ["orders"], ScheduleIds = ["nightly"],
                QueueNames = ["mail", "sms"], Labels = ["billing"], FlowControlKeys = ["acme"], CallerIps = ["203.0.113.9"],
                Hosts = ["a.example.com"], Paths = ["/x", "/y z"], FromDate = s_from, ToDate = s_from.AddMilliseconds(100_000),
            },
            count: 50),
        ["cancel everything"] = c => c.Messages.CancelAllAsync(count: 100),
        ["list the dead letters"] = c => c.Dlq.GetPageAsync(),
        ["list dead letters by filter"] = c => c.Dlq.GetPageAsync(
            new() { MessageId = "msg_1", Urls = ["https://a.example.com"], ResponseStatuses = [404, 500], Labels = ["a", "b"], FromDate = s_from },
            pageSize: 20, cursor: "1767225612000-1"),
        ["retry a dead letter"] = c => Refused(c.Dlq.RetryAsync("1767225612000-0")),
        ["retry dead letters"] = c => AllOf(c.Dlq.RetryManyAsync(["1767225612000-0", "1767225612000-1"])),
        ["retry dead letters by filter"] = c => AllOf(c.Dlq.RetryWhereAsync(new() { Labels = ["billing"], ResponseStatuses = [503] }, pageSize: 10)),
        ["retry all dead letters"] = c => AllOf(c.Dlq.RetryAllAsync()),
        ["delete a dead letter"] = c => c.Dlq.DeleteAsync("1767225612000-0"),
        ["delete dead letters"] = c => c.Dlq.DeleteManyAsync(["1767225612000-0", "1767225612000-1"]),
        ["delete dead letters by filter"] = c => c.Dlq.DeleteWhereAsync(new() { QueueNames = ["mail"] }),
        ["delete all dead letters"] = c => c.Dlq.DeleteAllAsync(),
        ["read the log"] = c => c.Logs.GetPageAsync(),
        ["read the log of messages"] = c => c.Logs.GetPageAsync(new() { MessageIds = ["msg_1", "msg_2"] }),
        ["read the log by filter"] = c => c.Logs.GetPageAsync(
            new()
            {
                State = LogState.Delivered, Urls = ["https://a.example.com"], Labels = ["a", "b"], Hosts = ["a.example.com"], Paths = ["/x"],
                FromDate = s_from, ToDate = s_from,
            },
            pageSize: 30, cursor: "1686652644442-12"),
        ["create a schedule"] = c => c.Schedules.CreateAsync("https://api.example.com/nightly", "0 4 * * *", Json),
        ["create a schedule with everything"] = c => c.Schedules.CreateAsync("orders", "CRON_TZ=Europe/Oslo */10 * * * *", Json, new()
        {
            Method = HttpMethod.Patch, Headers = { ["X-Tenant"] = "acme" }, Delay = TimeSpan.FromSeconds(10), Retries = 2, RetryDelay = "5000",
            Callback = "https://api.example.com/done", FailureCallback = "https://api.example.com/failed", Timeout = TimeSpan.FromSeconds(30),
            ScheduleId = "nightly", QueueName = "mail", FlowControl = new("acme") { Parallelism = 1 }, Labels = ["night"], Redact = new() { Body = true },
        }),
        ["get a schedule"] = c => c.Schedules.GetAsync("nightly"),
        ["list schedules"] = c => c.Schedules.ListAsync(),
        ["pause a schedule"] = c => c.Schedules.PauseAsync("nightly"),
        ["resume a schedule"] = c => c.Schedules.ResumeAsync("nightly"),
        ["delete a schedule"] = c => c.Schedules.DeleteAsync("nightly"),
        ["create a queue"] = c => c.Queues.UpsertAsync("mail", parallelism: 3, paused: true),
        ["create a plain queue"] = c => c.Queues.UpsertAsync("mail", parallelism: 1, paused: false),
        ["get a queue"] = c => c.Queues.GetAsync("mail"),
        ["list queues"] = c => c.Queues.ListAsync(),
        ["pause a queue"] = c => c.Queues.PauseAsync("mail"),
        ["resume a queue"] = c => c.Queues.ResumeAsync("mail"),
        ["delete a queue"] = c => c.Queues.DeleteAsync("mail"),
        ["add endpoints"] = c => c.UrlGroups.AddEndpointsAsync("orders", [new("https://one.example.com", "one"), new("https://two.example.com/x?y=1")]),
        ["remove endpoints"] = c => c.UrlGroups.RemoveEndpointsAsync("orders", urls: ["https://two.example.com/x?y=1"], names: ["one"]),
        ["get a URL group"] = c => c.UrlGroups.GetAsync("orders"),
        ["list URL groups"] = c => c.UrlGroups.ListAsync(),
        ["delete a URL group"] = c => c.UrlGroups.DeleteAsync("orders"),
        ["get a flow-control key"] = c => c.FlowControl.GetAsync("acme"),
        ["get the global parallelism"] = c => c.FlowControl.GetGlobalParallelismAsync(),
        ["pause a flow-control key"] = c => c.FlowControl.PauseAsync("acme"),
        ["resume a flow-control key"] = c => c.FlowControl.ResumeAsync("acme"),
        ["pin a flow-control key"] = c => c.FlowControl.PinAsync("acme", parallelism: 4, rate: 30, period: TimeSpan.FromMinutes(2)),
        ["pin a rate"] = c => c.FlowControl.PinAsync("acme", rate: 1),
        ["unpin a flow-control key"] = c => c.FlowControl.UnpinAsync("acme"),
        ["reset the rate of a flow-control key"] = c => c.FlowControl.ResetRateAsync("acme"),
    };

    private static async Task AllOf<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var _ in items)
        {
        }
    }

    // The recording's answers are the least that can be read, and tell of no message.
    private static Task<QStashRequestException> Refused(Task call) => Assert.ThrowsAsync<QStashRequestException>(() => call);
}
