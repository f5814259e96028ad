using System.Globalization;
using CsCheck;
using FuncStash.Messages;

namespace FuncStash.Tests.Admission;

/// <summary>Queues over HTTP, with real deliveries (protocol#enqueue, protocol#queues).</summary>
public sealed class QueueDeliveryTests
{
    private static int RootOf(string path) => int.Parse(path.Split('/')[^1], CultureInfo.InvariantCulture);

    private static int Failures(int[] failures, string path, int earlier) => earlier < failures[RootOf(path)] ? 500 : 200;

    [Fact]
    public Task One_after_the_other_with_retries_and_callbacks() =>
        Gen.Select(Gen.Int[0, 3].Array[5], Gen.Int[0, 2].Array[5], Gen.Int[1, 2]).SampleAsync(async (failures, callbackFailures, places) =>
        {
            await using var service = await LiveService.StartAsync();
            var receiver = service.Receiver;
            receiver.Answer = async (path, earlier) =>
            {
                await Task.Yield();
                return Failures(path.StartsWith("/callback", StringComparison.Ordinal) ? callbackFailures : failures, path, earlier);
            };
            await service.SendAsync("POST", "/v2/queues", $$"""{"queueName":"q","parallelism":{{places}}}""");
            var ids = new List<string>();
            for (var i = 0; i < failures.Length; i++)
            {
                // Two retries: a third failure is for good. Callbacks have one.
                ids.Add(await service.EnqueueAsync("q", $"/jobs/{i}", ("Upstash-Retries", "2"),
                    ("Upstash-Callback", receiver.Url($"/callback/{i}")), ("Upstash-Callback-Retries", "1"),
                    ("Upstash-Failure-Callback", receiver.Url($"/callback-failure/{i}"))));
            }

            await service.RunUntilAsync(async () =>
                (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>() == 0);

            for (var i = 0; i < ids.Count; i++)
            {
                Assert.Equal(failures[i] < 3 ? MessageState.Delivered : MessageState.Failed, await service.StateOfAsync(ids[i]));
                Assert.Equal(Math.Min(failures[i] + 1, 3), receiver.Count($"/jobs/{i}"));
            }
            var roots = Enumerable.Range(0, ids.Count)
                .Select(i => receiver.Arrivals.Where(a => RootOf(a.Path) == i).ToList()).ToList();
            for (var i = places; i < ids.Count; i++)
            {
                // All but the places ahead of it have ended before it began, callbacks included.
                for (var ahead = 0; ahead <= i - places; ahead++)
                    Assert.True(places > 1 || roots[ahead].Max(a => a.Ended) < roots[i].Min(a => a.Begun), $"{ahead} {i}");
                var begun = roots[i].Min(a => a.Begun);
                var open = roots.Take(i).Count(root => root.Max(a => a.Ended) > begun);
                Assert.True(open < places, $"{open} were not done when {i} began");
            }
        }, iter: 12, threads: 1);

    [Fact]
    public async Task A_paused_queue_keeps_its_messages_until_it_is_resumed()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","paused":true}""");
        await service.EnqueueAsync("q", "/1");
        await service.EnqueueAsync("q", "/2");
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);
        Assert.Equal(2, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());

        Assert.Equal(200, (await service.SendAsync("POST", "/v2/queues/q/resume")).Status);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        Assert.Equal(["/1", "/2"], service.Receiver.Paths);
    }

    [Fact]
    public async Task A_delayed_message_gets_in_line_when_it_is_due()
    {
        await using var service = await LiveService.StartAsync();
        await service.EnqueueAsync("q", "/late", ("Upstash-Delay", "10s"));
        await service.EnqueueAsync("q", "/first");
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);
        await service.SendAsync("POST", "/v2/queues/q/pause");
        service.Clock.Advance(11_000);
        await service.RunNowAsync();
        await service.EnqueueAsync("q", "/last");
        await service.SendAsync("POST", "/v2/queues/q/resume");

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 3);
        Assert.Equal(["/first", "/late", "/last"], service.Receiver.Paths);
    }

    [Fact]
    public async Task A_cancelled_message_lets_the_next_one_through()
    {
        await using var service = await LiveService.StartAsync();
        var hold = new TaskCompletionSource<int>();
        service.Receiver.Answer = (path, _) => path == "/0" ? hold.Task : Task.FromResult(200);
        var ids = new List<string>();
        for (var i = 0; i < 4; i++)
            ids.Add(await service.EnqueueAsync("q", $"/{i}"));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);

        Assert.InRange((await service.SendAsync("DELETE", $"/v2/messages/{ids[2]}")).Status, 200, 202);
        Assert.InRange((await service.SendAsync("DELETE", $"/v2/messages/{ids[0]}")).Status, 200, 202);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 3);
        hold.SetResult(200);
        await service.RunNowAsync();

        Assert.Equal(["/0", "/1", "/3"], service.Receiver.Paths);
        Assert.Equal(0, (await service.SendAsync("GET", "/v2/queues/q")).Json!["lag"]!.GetValue<int>());
    }

    [Fact]
    public async Task An_upsert_changes_what_it_names_and_a_bad_one_nothing()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","parallelism":3,"paused":true}""");
        await service.SendAsync("POST", "/v2/queues", """{"queueName":"q"}""");
        await service.EnqueueAsync("q", "/now");
        await service.EnqueueAsync("q", "/later", ("Upstash-Delay", "1h"));
        var queue = (await service.SendAsync("GET", "/v2/queues/q")).Json!;
        Assert.Equal((3, true), (queue["parallelism"]!.GetValue<int>(), queue["paused"]!.GetValue<bool>()));

        Assert.Equal(400, (await service.SendAsync("POST", "/v2/queues", """{"queueName":"q","parallelism":0}""")).Status);
        Assert.Equal(400, (await service.SendAsync("POST", "/v2/queues", """{"queueName":"a b"}""")).Status);
        Assert.Equal(404, (await service.SendAsync("POST", "/v2/queues/none/pause")).Status);
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/queues/none")).Status);
        Assert.Equal(200, (await service.SendAsync("DELETE", "/v2/queues/none")).Status);
        Assert.Single((await service.SendAsync("GET", "/v2/queues")).Json!.AsArray());
    }

    [Fact]
    public async Task A_URL_group_is_enqueued_endpoint_by_endpoint()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/topics/g/endpoints",
            $$"""{"endpoints":[{"url":"{{service.Receiver.Url("/a")}}"},{"url":"{{service.Receiver.Url("/b")}}"}]}""");

        var (status, json) = await service.SendAsync("POST", "/v2/enqueue/q/g", "x");
        Assert.Equal((200, 2), (status, json!.AsArray().Count));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        Assert.Equal(["/a", "/b"], service.Receiver.Paths);
        Assert.Equal(1, service.Receiver.MostAtOnce);
    }
}
