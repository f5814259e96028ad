using System.Text.Json.Nodes;
using CsCheck;
using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Tests.Admission;

/// <summary>A queue lets delayed messages in by the time they are due, whichever of them a worker comes to first (protocol#queues).</summary>
public sealed class DelayedQueueTests
{
    private static async Task<List<string>> BatchAsync(LiveService service, IEnumerable<(string Path, int Delay)> items)
    {
        var batch = new JsonArray([.. items.Select(item => new JsonObject
        {
            ["destination"] = service.Receiver.Url(item.Path),
            ["queue"] = "q",
            ["headers"] = new JsonObject { ["Upstash-Delay"] = $"{item.Delay}s" },
        })]);
        var (status, json) = await service.SendAsync("POST", "/v2/batch", batch.ToJsonString());
        Assert.Equal(200, status);
        return [.. json!.AsArray().Select(answer => answer!["messageId"]!.GetValue<string>())];
    }

    private static async Task<List<Lease>> DueAsync(LiveService service)
    {
        var all = new List<Lease>();
        while (await service.Store.Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero) is { Count: > 0 } some)
            all.AddRange(some);
        return all;
    }

    private static async Task WorkAsync(LiveService service, IEnumerable<Lease> leases)
    {
        foreach (var lease in leases)
            await service.Get<DeliveryService>().RunAsync(lease.Text, lease);
    }

    [Fact]
    public Task In_the_order_of_their_due_times() =>
        Gen.Select(Gen.Int[1, 3].Array[1, 12], Gen.Int[1, 3], Gen.Int).SampleAsync(async (delays, places, seed) =>
        {
            await using var service = await LiveService.StartAsync();
            await service.SendAsync("POST", "/v2/queues", $$"""{"queueName":"q","parallelism":{{places}}}""");
            await BatchAsync(service, delays.Select((delay, i) => ($"/{i}", delay)));
            service.Clock.Advance(4000);
            var leases = (await DueAsync(service)).ToArray();
            new Random(seed).Shuffle(leases);
            await WorkAsync(service, leases);

            await service.RunUntilAsync(() => service.Receiver.Paths.Count == delays.Length);
            await service.RunNowAsync();
            var arrivals = delays.Index().OrderBy(d => d.Item).ThenBy(d => d.Index)
                .Select(d => service.Receiver.Arrivals.Single(a => a.Path == $"/{d.Index}")).ToList();
            for (var i = 0; i < arrivals.Count; i++)
                Assert.True(arrivals.Take(i).Count(a => a.Ended > arrivals[i].Begun) < places, $"{i} began too early");
        }, iter: 30, threads: 1);

    [Fact]
    public async Task More_of_them_than_are_looked_at_in_one_commit()
    {
        await using var service = await LiveService.StartAsync();
        await BatchAsync(service, Enumerable.Range(0, 120).Select(i => ($"/{i}", 5)));
        service.Clock.Advance(5000);
        await WorkAsync(service, (await DueAsync(service)).AsEnumerable().Reverse());

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 120);
        Assert.Equal(Enumerable.Range(0, 120).Select(i => $"/{i}"), service.Receiver.Paths);
    }

    [Fact]
    public async Task One_accepted_meanwhile_goes_behind_those_that_are_due()
    {
        await using var service = await LiveService.StartAsync();
        await service.EnqueueAsync("q", "/due", ("Upstash-Delay", "10s"));
        await service.EnqueueAsync("q", "/later", ("Upstash-Delay", "1h"));
        service.Clock.Advance(10_001);
        await service.EnqueueAsync("q", "/new");

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        Assert.Equal(["/due", "/new"], service.Receiver.Paths);
    }

    [Fact]
    public async Task One_that_was_cancelled_is_not_waited_for()
    {
        await using var service = await LiveService.StartAsync();
        var ids = await BatchAsync(service, [("/0", 10), ("/1", 10)]);
        service.Clock.Advance(10_000);
        var leases = await DueAsync(service);
        await WorkAsync(service, leases.Skip(1));
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);

        Assert.InRange((await service.SendAsync("DELETE", $"/v2/messages/{ids[0]}")).Status, 200, 202);
        await service.RunNowAsync();
        Assert.Equal(["/1"], service.Receiver.Paths);
    }

    [Fact]
    public async Task One_that_does_not_come_is_waited_for_ten_seconds()
    {
        await using var service = await LiveService.StartAsync();
        await BatchAsync(service, [("/lost", 5), ("/next", 6)]);
        service.Clock.Advance(5000);
        Assert.Single(await DueAsync(service));
        service.Clock.Advance(1000);
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);

        await IsHeldForAsync(service, 9000);
    }

    [Fact]
    public async Task One_whose_publisher_died_is_waited_for_until_ten_seconds_after_it_was_published()
    {
        await using var service = await LiveService.StartAsync();
        await DieAsync(service, delay: 5);
        await service.EnqueueAsync("q", "/next", ("Upstash-Delay", "6s"));
        await IsHeldForAsync(service, 10_000);
    }

    [Fact]
    public async Task Those_whose_publishers_died_longer_ago_hold_nobody_up()
    {
        await using var service = await LiveService.StartAsync();
        for (var i = 0; i < 60; i++)
            await DieAsync(service, delay: 11, i);
        await service.EnqueueAsync("q", "/next", ("Upstash-Delay", "12s"));
        service.Clock.Advance(12_000);
        await service.RunNowAsync();
        // The gate goes on by itself.
        await Eventually.GetAsync(() => ExpectedAsync(service), rows => rows.Count == 0);
        await service.RunNowAsync();
        Assert.Equal(["/next"], service.Receiver.Paths);
    }

    [Theory]
    [InlineData(11, 12_000)] // not stored
    [InlineData(1, 15_000)] // due long ago
    public async Task Many_that_are_given_up_let_nobody_pass_one_that_is_waited_for(int delay, int later)
    {
        await using var service = await LiveService.StartAsync();
        for (var i = 0; i < 60; i++)
            await DieAsync(service, delay, i);
        await BatchAsync(service, [("/lost", 11), ("/next", 12)]);
        service.Clock.Advance(11_000);
        Assert.Single(await DueAsync(service));
        service.Clock.Advance(later - 11_000);
        await service.RunNowAsync();
        await Eventually.GetAsync(() => ExpectedAsync(service), rows => rows.Count == 1, rows => $"{rows.Count}");
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);

        service.Clock.Advance(21_000 - later);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count > 0);
        Assert.Equal(["/next"], service.Receiver.Paths);
    }

    [Theory]
    [InlineData(false, 6000)]
    [InlineData(true, 9999)]
    public async Task One_whose_publisher_was_killed_with_its_process_holds_nobody_up_where_there_is_no_other_process(bool isShared, int until)
    {
        await using var service = await LiveService.StartAsync(isShared ? store => new PartwiseStore(store) : null);
        await DieAsync(service, delay: 5, publishedAgo: 1);
        await service.EnqueueAsync("q", "/next", ("Upstash-Delay", "6s"));
        await IsHeldForAsync(service, until);
    }

    // The next one waits for so many milliseconds and no longer, and then nobody is waited for.
    private static async Task IsHeldForAsync(LiveService service, int ms)
    {
        service.Clock.Advance(ms - 1);
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);
        service.Clock.Advance(1);
        await service.RunNowAsync();
        Assert.Equal(["/next"], service.Receiver.Paths);
        Assert.Empty(await ExpectedAsync(service));
    }

    // What a publisher that dies before it stores its message leaves behind.
    private static async Task DieAsync(LiveService service, int delay, int random = 1, int publishedAgo = 0)
    {
        var id = MessageId.Create(service.Clock.Now - publishedAgo, 1, (ulong)random);
        await service.Get<AdmissionService>().ExpectAsync(
            new Message { Id = id, Url = service.Receiver.Url("/dead"), QueueName = "q", NotBefore = service.Clock.Now + (delay * 1000L) - 1 });
    }

    [Fact]
    public async Task A_clock_that_was_set_back_makes_nobody_wait_longer()
    {
        await using var service = await LiveService.StartAsync();
        service.Get<Gates>();
        service.Clock.Advance(-3_600_000);
        await DieAsync(service, delay: 5);
        await service.EnqueueAsync("q", "/next", ("Upstash-Delay", "6s"));
        service.Clock.Advance(15_000);
        await service.RunNowAsync();
        Assert.Equal(["/next"], service.Receiver.Paths);
    }

    [Fact]
    public async Task One_that_is_published_again_when_it_is_due_holds_up_nobody()
    {
        await using var service = await LiveService.StartAsync();
        var same = ("Upstash-Deduplication-Id", "d");
        await service.EnqueueAsync("q", "/first", ("Upstash-Delay", "10s"), same);
        await service.EnqueueAsync("q", "/next", ("Upstash-Delay", "10s"));
        service.Clock.Advance(10_000);
        var (status, _) = await service.SendAsync("POST", "/v2/enqueue/q/" + service.Receiver.Url("/first"), "x", same);
        Assert.Equal(202, status);
        await service.RunNowAsync();
        Assert.Equal(["/first", "/next"], service.Receiver.Paths);
    }

    [Fact]
    public async Task One_of_an_id_that_was_there_is_not_waited_for()
    {
        await using var service = await LiveService.StartAsync();
        var admission = service.Get<AdmissionService>();
        var message = await admission.ExpectAsync(
            new Message { Id = MessageId.Create(service.Clock.Now, 1, 1), Url = service.Receiver.Url("/x"), QueueName = "q", NotBefore = service.Clock.Now + 5000 });
        Assert.Single(await ExpectedAsync(service));
        await admission.UnexpectAsync(message);
        Assert.Empty(await ExpectedAsync(service));
    }

    [Fact]
    public async Task A_deleted_queue_expects_nobody()
    {
        await using var service = await LiveService.StartAsync();
        await BatchAsync(service, Enumerable.Range(0, 120).Select(i => ($"/{i}", 5 + i)));
        Assert.Equal(120, (await ExpectedAsync(service)).Count);
        await service.SendAsync("DELETE", "/v2/queues/q");
        Assert.Empty(await ExpectedAsync(service));
    }

    private static async Task<IReadOnlyList<Entity>> ExpectedAsync(LiveService service) => await service.Store.Tables.QueryAsync(
        GateRows.Table, GateRows.Partition(GateKind.Queue, "q"), RowRange.Prefix(GateRows.ExpectedPrefix), 1000);
}
