using FuncStash.Admission;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Admission;

/// <summary>Flow control over HTTP, with real deliveries (protocol#flow-control).</summary>
public sealed class FlowControlDeliveryTests
{
    private static (string, string)[] Flow(string value, params (string, string)[] more) =>
        [("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", value), .. more];

    private static async Task<GateState> KeyAsync(LiveService service) =>
        (await service.Get<Gates>().GetAsync(GateKind.FlowKey, "k"))!;

    [Fact]
    public async Task No_more_than_the_rate_start_in_a_period_and_retries_count()
    {
        await using var service = await LiveService.StartAsync();
        var times = new List<long>();
        service.Receiver.Answer = (path, earlier) =>
        {
            lock (times)
                times.Add(service.Clock.Now);
            return Task.FromResult(earlier == 0 && path is "/0" or "/1" ? 500 : 200);
        };
        for (var i = 0; i < 6; i++)
            await service.PublishAsync($"/{i}", Flow("rate=2, period=60", ("Upstash-Retry-Delay", "1000")));

        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 8);
        await service.RunNowAsync();
        Assert.Equal(8, times.Count);
        Assert.All(times, start => Assert.InRange(times.Count(t => t >= start && t < start + 60_000), 1, 4));
        // Four periods of two attempts each, one after the other.
        Assert.Equal([2, 2, 2, 2], times.Chunk(2).Select(pair => pair[1] - pair[0] < 60_000 ? 2 : 1));
        Assert.True(times[6] - times[0] >= 180_000);
    }

    [Fact]
    public async Task No_more_than_the_parallelism_are_in_flight()
    {
        await using var service = await LiveService.StartAsync();
        service.Receiver.Answer = async (_, _) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(15), TimeProvider.System);
            return 200;
        };
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => service.PublishAsync($"/{i}", Flow("parallelism=3"))));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 20);
        await service.RunNowAsync();
        Assert.InRange(service.Receiver.MostAtOnce, 2, 3);
        Assert.Equal((0, 0), ((await KeyAsync(service)).Waiting, (await KeyAsync(service)).Inside.Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3_600_000)]
    public async Task A_retry_that_stood_in_line_and_fails_too_is_followed_by_the_next_when_that_is_due(int setBackMs)
    {
        await using var service = await LiveService.StartAsync();
        var (times, hold) = (new List<long>(), new TaskCompletionSource<int>());
        service.Receiver.Answer = (path, earlier) =>
        {
            if (path == "/1")
                return hold.Task;
            if (earlier == 1)
                service.Clock.Advance(-setBackMs);
            lock (times)
                times.Add(service.Clock.Now);
            return Task.FromResult(earlier < 2 ? 500 : 200);
        };
        var id = await service.PublishAsync("/0", Flow("parallelism=1", ("Upstash-Retry-Delay", "1000")));
        await service.RunUntilAsync(() => times.Count == 1);
        await service.RunNowAsync();
        await service.PublishAsync("/1", Flow("parallelism=1"));
        await service.RunUntilAsync(() => service.Receiver.Paths.Contains("/1"));
        service.Clock.Advance(1000);
        await service.RunUntilAsync(async () => (await KeyAsync(service)).Waiting == 1);
        hold.SetResult(200);

        await service.RunUntilAsync(async () => await service.StateOfAsync(id) == MessageState.Delivered);
        Assert.Equal(3, times.Count);
        Assert.InRange(times[2] - times[1], 1000, 2000);
    }

    [Fact]
    public async Task A_cancelled_request_counts_until_its_response_and_a_waiting_one_goes_at_once()
    {
        await using var service = await LiveService.StartAsync();
        var hold = new TaskCompletionSource<int>();
        service.Receiver.Answer = (path, _) => path == "/0" ? hold.Task : Task.FromResult(200);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add(await service.PublishAsync($"/{i}", Flow("parallelism=1")));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);

        await service.SendAsync("DELETE", $"/v2/messages/{ids[0]}");
        await service.SendAsync("DELETE", $"/v2/messages/{ids[1]}");
        Assert.Equal(1, (await KeyAsync(service)).Waiting);
        Assert.Single(service.Receiver.Paths);
        hold.SetResult(200);
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
        await service.RunNowAsync();

        Assert.Equal(["/0", "/2"], service.Receiver.Paths);
        Assert.Empty((await KeyAsync(service)).Inside);
    }

    [Fact]
    public async Task A_changed_rate_a_reset_and_a_pin_act_at_once_on_what_waits()
    {
        await using var service = await LiveService.StartAsync();
        for (var i = 0; i < 30; i++)
            await service.PublishAsync($"/{i}", Flow("rate=1, period=1h"));
        await service.RunNowAsync();
        Assert.Single(service.Receiver.Paths);

        await service.SendAsync("POST", "/v2/flowControl/k/resetRate");
        Assert.Equal(1, (await service.SendAsync("GET", "/v2/flowControl/k")).Json!["rateCount"]!.GetValue<int>());
        await service.RunNowAsync();
        Assert.Equal(2, service.Receiver.Paths.Count);

        await service.SendAsync("POST", "/v2/flowControl/k/pin?rate=5&period=3600");
        await service.RunNowAsync();
        Assert.Equal(7, service.Receiver.Paths.Count);

        // Pinned: what a message asks for changes nothing.
        await service.PublishAsync("/30", Flow("rate=1000, period=1"));
        await service.RunNowAsync();
        Assert.Equal(7, service.Receiver.Paths.Count);

        await service.SendAsync("POST", "/v2/flowControl/k/unpin?rate=true");
        await service.PublishAsync("/31", Flow("rate=1000, period=1h"));
        await service.RunNowAsync();
        Assert.Equal(32, service.Receiver.Paths.Count);
    }

    [Fact]
    public async Task A_paused_key_holds_messages_and_its_period_goes_on()
    {
        await using var service = await LiveService.StartAsync();
        await service.SendAsync("POST", "/v2/flowControl/k/pause");
        await service.PublishAsync("/0", Flow("rate=1, period=10"));
        await service.RunNowAsync();
        Assert.Empty(service.Receiver.Paths);
        var key = (await service.SendAsync("GET", "/v2/flowControl/k")).Json!;
        Assert.Equal((1, true), (key["waitListSize"]!.GetValue<int>(), key["isPaused"]!.GetValue<bool>()));

        await service.SendAsync("POST", "/v2/flowControl/k/resume");
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 1);
    }

    [Fact]
    public async Task A_message_with_a_queue_and_a_key_obeys_both()
    {
        await using var service = await LiveService.StartAsync();
        var times = new List<(string Path, long At)>();
        service.Receiver.Answer = (path, earlier) =>
        {
            lock (times)
                times.Add((path, service.Clock.Now));
            return Task.FromResult(path == "/1" && earlier == 0 ? 500 : 200);
        };
        for (var i = 0; i < 4; i++)
            await service.EnqueueAsync("q", $"/{i}", Flow("rate=1, period=30", ("Upstash-Retry-Delay", "1000")));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 5);
        await service.RunNowAsync();

        Assert.Equal(["/0", "/1", "/1", "/2", "/3"], times.Select(t => t.Path));
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= 30_000));
        Assert.Empty((await KeyAsync(service)).Inside);
        Assert.Empty((await service.Get<Gates>().GetAsync(GateKind.Queue, "q"))!.Inside);
    }

    [Fact]
    public async Task A_lost_wake_or_ticket_is_made_up_for_by_the_sweep()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        for (var i = 0; i < 3; i++)
            await service.PublishAsync($"/{i}", Flow("rate=1, period=10"));
        await service.RunNowAsync();
        Assert.Single(service.Receiver.Paths);

        // Admitted by the wake, by a process that dies before it sends what it owes, once and for all.
        var died = 0;
        watched!.Faults = commit => commit.Table == GateRows.Table && commit.Sends.Count > 0 && died++ == 0
            ? Fault.BetweenWritesAndSends
            : Fault.None;
        service.Clock.Advance(11_000);
        await Assert.ThrowsAsync<StoreFaultException>(async () =>
        {
            var leases = await service.Store.Queues.ReceiveAsync(
                WorkItem.Queue, 1, TimeSpan.FromDays(1), TimeSpan.Zero);
            await service.Get<DeliveryService>().RunAsync(leases[0].Text, leases[0]);
        });
        service.Clock.Advance(120_000);
        await service.RunNowAsync();
        Assert.Single(service.Receiver.Paths);

        for (var i = 0; i < 3; i++)
        {
            await service.Get<GateSweep>().RunAsync();
            service.Clock.Advance(70_000);
            await service.RunNowAsync();
        }
        Assert.Equal(["/0", "/1", "/2"], service.Receiver.Paths.Order());
        Assert.Empty((await KeyAsync(service)).Inside);
    }

    [Fact]
    public async Task The_place_of_an_attempt_whose_worker_died_after_settling_is_given_back_with_the_retry()
    {
        WatchedStore? watched = null;
        await using var service = await LiveService.StartAsync(store => watched = new WatchedStore(store));
        service.Receiver.Answer = (_, earlier) => Task.FromResult(earlier == 0 ? 500 : 200);
        var id = await service.PublishAsync("/0", Flow("parallelism=1", ("Upstash-Retry-Delay", "1000")));
        var died = 0;
        watched!.Faults = commit => commit.Table == GateRows.Table && died++ == 0 ? Fault.Before : Fault.None;

        await service.RunUntilAsync(async () => await service.StateOfAsync(id) == MessageState.Delivered);
        await service.RunNowAsync();
        Assert.Equal(2, service.Receiver.Paths.Count);
        Assert.Empty((await KeyAsync(service)).Inside);
        Assert.InRange(died, 1, 100);
    }

    [Fact]
    public async Task A_restarted_message_that_waits_is_delivered_under_its_new_ticket()
    {
        await using var service = await LiveService.StartAsync();
        await service.PublishAsync("/0", Flow("rate=1, period=60"));
        var id = await service.PublishAsync("/1", Flow("rate=1, period=60"));
        await service.RunNowAsync();

        var messages = service.Get<MessageStore>();
        Assert.True(await messages.RestartAsync((await messages.GetAsync(MessageId.Parse(id)))!));
        await service.RunNowAsync();
        Assert.Single(service.Receiver.Paths);
        service.Clock.Advance(61_000);
        await service.RunNowAsync();
        Assert.Equal(["/0", "/1"], service.Receiver.Paths);
        Assert.Equal(0, (await KeyAsync(service)).Waiting);
    }

    [Fact]
    public async Task An_unused_key_is_forgotten_and_one_in_use_is_not()
    {
        await using var service = await LiveService.StartAsync();
        await service.PublishAsync("/0", Flow("parallelism=1"));
        await service.SendAsync("POST", "/v2/flowControl/pinned/pin?parallelism=2");
        await service.RunNowAsync();
        service.Clock.Advance((long)GateSweep.KeyLife.TotalMilliseconds - 1000);
        await service.Get<GateSweep>().RunAsync();
        Assert.Equal(200, (await service.SendAsync("GET", "/v2/flowControl/k")).Status);

        service.Clock.Advance(10_000);
        await service.Get<GateSweep>().RunAsync();
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/flowControl/k")).Status);
        Assert.Equal("pinned", Assert.Single((await service.SendAsync("GET", "/v2/flowControl")).Json!.AsArray())!["flowControlKey"]!.GetValue<string>());

        await service.PublishAsync("/1", Flow("parallelism=1"));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 2);
    }

    [Fact]
    public async Task A_delayed_message_brings_the_limits_of_a_key_that_was_forgotten_meanwhile()
    {
        await using var service = await LiveService.StartAsync();
        for (var i = 0; i < 5; i++)
            await service.PublishAsync($"/{i}", Flow("rate=2, period=60, parallelism=1", ("Upstash-Delay", "3h")));
        service.Clock.Advance((long)GateSweep.KeyLife.TotalMilliseconds + 61_000);
        await service.Get<GateSweep>().RunAsync();
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/flowControl/k")).Status);
        // What an operator does to the key in between brings no limits.
        await service.SendAsync("POST", "/v2/flowControl/k/pause");
        await service.SendAsync("POST", "/v2/flowControl/k/resume");
        service.Clock.Advance(2 * 3_600_000);

        await service.RunNowAsync();
        Assert.Equal(2, service.Receiver.Paths.Count);
        Assert.Equal((2, 1), ((await KeyAsync(service)).Rate, (await KeyAsync(service)).Parallelism));
        await service.RunUntilAsync(() => service.Receiver.Paths.Count == 5);
    }

    [Theory]
    [InlineData("pin")]
    [InlineData("pin?parallelism=0")]
    [InlineData("pin?rate=-1")]
    [InlineData("pin?rate=x")]
    [InlineData("pin?rate=1&period=604801")]
    [InlineData("unpin?rate=maybe")]
    public async Task A_bad_pin_is_refused(string call)
    {
        await using var service = await LiveService.StartAsync();
        Assert.Equal(400, (await service.SendAsync("POST", $"/v2/flowControl/k/{call}")).Status);
        Assert.Equal(404, (await service.SendAsync("GET", "/v2/flowControl/k")).Status);
    }
}
