using System.Globalization;
using System.Text;
using System.Text.Json;
using FuncStash.Schedules;
using FuncStash.Signing;
using FuncStash.Waiting;

namespace FuncStash.Storage.Tests.Costs;

/// <summary>
/// What a message costs in storage operations, held to a budget and to the tables in docs/operations.md. To write
/// them anew: FUNCSTASH_WRITE_DOCS=1.
/// </summary>
public sealed class CostTests(AzuriteAccount account)
{
    private const int Messages = 4;

    /// <summary>The most queue, table and blob operations of each row.</summary>
    private static readonly (string Name, int Queue, int Table, int Blob, Func<MeteredService, Task<Operations>> Measure)[] s_rows =
    [
        ("a message", 3, 3, 0, service => EachAsync(service, "/ok")),
        ("— when 32 wait", 3, 3, 0, WaitingAsync),
        ("— in a batch of 100", 3, 3, 0, BatchAsync),
        ("— with a payload over 256 KiB", 3, 3, 2, service => EachAsync(service, "/ok", body: new byte[300 * 1024])),
        ("— delayed", 3, 3, 0, service => DelayedAsync(service)),
        ("— with a deduplication id", 3, 4, 0, service => EachAsync(service, "/ok", unique: true)),
        ("— dead-lettered", 3, 4, 0, service => EachAsync(service, "/never", headers: ("Upstash-Retries", "0"))),
        ("— enqueued", 3, 5, 0, service => EachAsync(service, "/ok", route: "/v2/enqueue/orders/")),
        ("— enqueued and delayed", 3, 8, 0, service => DelayedAsync(service, "/v2/enqueue/orders/")),
        ("— under a flow-control key", 3, 5, 0, service => EachAsync(service, "/ok",
            headers: [("Upstash-Flow-Control-Key", "tenant"), ("Upstash-Flow-Control-Value", "parallelism=10")])),
        ("— of a schedule", 3, 6, 0, async service => (await ScheduledAsync(service)).Beyond(await LookAsync(service))),
        // At most what two messages cost.
        ("each step of a workflow run", 6, 6, 0, StepsAsync),
        ("and for each retry", 2, 2, 0, async service =>
            (await EachAsync(service, "/twice", steps: 2)).Beyond(await EachAsync(service, "/ok"))),
        ("and for each callback", 3, 2, 0, async service =>
            (await EachAsync(service, "/ok", steps: 2, headers: ("Upstash-Callback", service.Url("/ok"))))
                .Beyond(await EachAsync(service, "/ok"))),
        ("each look for due schedules", 0, 8, 0, LookAsync),
    ];

    // What differs there: the host deletes the work-queue messages, so one that is to come again is sent anew, and what is due later waits in a bucket.
    private static readonly (string Name, int Queue, int Table, int Blob, Func<MeteredService, Task<Operations>> Measure)[] s_rowsOnFunctions =
    [
        ("a message that is due at once", 3, 3, 0, service => EachAsync(service, "/ok")),
        ("— delayed by less than two minutes", 3, 3, 0, service => DelayedAsync(service)),
        ("— delayed for longer, alone in its minute", 3, 13, 0, service => InBucketAsync(service, 1)),
        ("— delayed for longer, a hundred in a minute", 3, 5, 0, service => InBucketAsync(service, 100)),
        ("and for each retry", 3, 2, 0, async service =>
            (await EachAsync(service, "/twice", steps: 2)).Beyond(await EachAsync(service, "/ok"))),
        ("and for each callback", 3, 2, 0, async service =>
            (await EachAsync(service, "/ok", steps: 2, headers: ("Upstash-Callback", service.Url("/ok"))))
                .Beyond(await EachAsync(service, "/ok"))),
    ];

    [Fact]
    public async Task Messages_cost_what_the_documentation_says()
    {
        await using var service = await MeteredService.StartAsync(account.Options());
        await AssertCostsAsync(service, s_rows, CostTable.OnServer);
    }

    [Fact]
    public async Task Messages_on_Functions_cost_what_the_documentation_says()
    {
        await using var service = await MeteredService.StartAsync(account.Options(), isFunctions: true);
        await AssertCostsAsync(service, s_rowsOnFunctions, CostTable.OnFunctions);
    }

    /// <summary>The scalability targets of an account and of a queue, by which the documentation tells how many are needed.</summary>
    [Fact]
    public async Task So_many_accounts_and_queues_are_needed_as_the_documentation_says()
    {
        const double AccountLimit = 20_000, QueueLimit = 2_000;
        await using var service = await MeteredService.StartAsync(account.Options(), isFunctions: true);
        await WaitingAsync(service);
        var cost = await WaitingAsync(service);
        var each = cost.Queue + cost.Table + cost.Blob;
        var table = new StringBuilder(CostTable.Rates);
        foreach (var rate in new[] { 1_000, 10_000, 100_000 })
        {
            // To the hundred: what the division leaves is rounded either way.
            table.Append(CultureInfo.InvariantCulture,
                $"\n| {rate:N0} | {Math.Round(rate * each / 100) * 100:N0} | {Math.Ceiling(rate * each / AccountLimit)} | {Math.Ceiling(rate / QueueLimit)} |");
        }
        CostTable.AssertDocumented(CostTable.Rates, table.ToString());
    }

    private static async Task AssertCostsAsync(
        MeteredService service, (string Name, int Queue, int Table, int Blob, Func<MeteredService, Task<Operations>> Measure)[] rows, string header)
    {
        var table = new StringBuilder(header);
        var over = new List<string>();
        foreach (var (name, queue, tables, blobs, measure) in rows)
        {
            // What happens once for a process or a queue is no message's cost.
            await measure(service);
            var cost = await measure(service);
            table.Append('\n').Append(cost.ToRow(name));
            if (cost.Queue > queue || cost.Table > tables || cost.Blob > blobs)
                over.Add($"{cost.ToRow(name)} is over {queue} queue, {tables} table, {blobs} blob operations");
        }

        TestContext.Current.TestOutputHelper?.WriteLine(table.ToString());
        Assert.Empty(over);
        CostTable.AssertDocumented(header, table.ToString());
    }

    // One after the other, so that each needs a receive of its own: the dearest case.
    private static Task<Operations> EachAsync(
        MeteredService service, string path, string route = "/v2/publish/", byte[]? body = null, int steps = 1,
        bool unique = false, params (string, string)[] headers) =>
        service.MeasureAsync(Messages, async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                (string, string)[] all = unique ? [.. headers, ("Upstash-Deduplication-Id", Guid.NewGuid().ToString())] : headers;
                await service.CallAsync(route + service.Url(path), body ?? "hello"u8.ToArray(), all);
                await service.DeliverAsync(steps);
            }
        });

    private static Task<Operations> WaitingAsync(MeteredService service) => service.MeasureAsync(32, async () =>
    {
        for (var i = 0; i < 32; i++)
            await service.CallAsync("/v2/publish/" + service.Url("/ok"), "hello"u8.ToArray());
        await service.DeliverAsync(32);
    });

    private static Task<Operations> BatchAsync(MeteredService service) => service.MeasureAsync(100, async () =>
    {
        var items = Enumerable.Range(0, 100).Select(i => new { destination = service.Url("/ok"), body = $"{i}" });
        await service.CallAsync("/v2/batch", JsonSerializer.SerializeToUtf8Bytes(items));
        await service.DeliverAsync(100);
    });

    private static Task<Operations> DelayedAsync(MeteredService service, string route = "/v2/publish/") => service.MeasureAsync(1, async () =>
    {
        await service.CallAsync(route + service.Url("/ok"), "hello"u8.ToArray(), ("Upstash-Delay", "1s"));
        service.Advance(TimeSpan.FromSeconds(1));
        await service.DeliverAsync(1);
    });

    // Woken after its time, so that the test need not wait for the rest of it.
    private static async Task<Operations> InBucketAsync(MeteredService service, int messages)
    {
        var minute = WaitTimes.MinuteMs * ((service.Now.ToUnixTimeMilliseconds() / WaitTimes.MinuteMs) + 10);
        var dueAt = (minute / 1000).ToString(CultureInfo.InvariantCulture);
        var published = await service.MeasureAsync(messages, async () =>
        {
            for (var i = 0; i < messages; i++)
                await service.CallAsync("/v2/publish/" + service.Url("/ok"), "hello"u8.ToArray(), ("Upstash-Not-Before", dueAt));
        });
        service.Advance(TimeSpan.FromMinutes(11));
        // These have grown old meanwhile, which is no cost of these messages.
        await service.Get<SigningKeys>().GetAsync();
        await service.Get<Presence>().BeatAsync();
        return published.And(await service.MeasureAsync(messages, async () =>
        {
            foreach (var bucket in await service.Get<Buckets>().OfMinuteAsync(minute))
                Assert.Equal(Waking.Done, await service.Get<BucketWaker>().WakeAsync(bucket));
            await service.DeliverAsync(messages);
        }));
    }

    private static async Task<Operations> StepsAsync(MeteredService service)
    {
        var run = $"wfr_{Guid.NewGuid():N}";
        (string, string)[] HeadersOf(string isFirst) =>
        [
            ("Upstash-Workflow-RunId", run), ("Upstash-Workflow-Init", isFirst), ("Upstash-Workflow-Url", service.Url("/ok")),
            ("Upstash-Feature-Set", "LazyFetch,InitialBody,WF_TriggerOnConfig"), ("Upstash-Forward-Upstash-Workflow-Sdk-Version", "1"),
        ];
        await service.CallAsync("/v2/publish/" + service.Url("/ok"), "hello"u8.ToArray(), HeadersOf("true"));
        await service.DeliverAsync(1);
        return await service.MeasureAsync(Messages, async () =>
        {
            for (var i = 1; i <= Messages; i++)
            {
                var step = Encoding.UTF8.GetBytes($$"""{"stepId":{{i}},"stepName":"s","stepType":"Run","out":"1","concurrent":1}""");
                await service.CallAsync("/v2/publish/" + service.Url("/ok"), step, HeadersOf("false"));
                await service.DeliverAsync(1);
            }
        });
    }

    private static async Task<Operations> ScheduledAsync(MeteredService service)
    {
        await service.CallAsync(
            "/v2/schedules/" + service.Url("/ok"), "hello"u8.ToArray(), ("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", "minutely"));
        service.Advance(TimeSpan.FromMinutes(1));
        // The keys have grown old meanwhile, which is no cost of this message.
        await service.Get<SigningKeys>().GetAsync();
        return await service.MeasureAsync(1, async () =>
        {
            Assert.Equal(1, (await service.Get<ScheduleTicker>().TickAsync(service.Now)).Published);
            await service.DeliverAsync(1);
        });
    }

    private static Task<Operations> LookAsync(MeteredService service) => service.MeasureAsync(1, async () =>
        Assert.Equal(0, (await service.Get<ScheduleTicker>().TickAsync(service.Now)).Published));
}
