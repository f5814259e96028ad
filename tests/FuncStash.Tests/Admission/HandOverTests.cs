using FuncStash.Admission;
using FuncStash.Cancelling;
using FuncStash.Delivery;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Storage;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Admission;

/// <summary>
/// A place in a queue is a message's until its callbacks have ended, also where the worker that settled it did not come to
/// hand the place over; and a callback that is on its way is sent once.
/// </summary>
public sealed class HandOverTests : IAsyncLifetime
{
    private readonly WatchedStore _watched;
    private readonly Service _service;
    private StandIn _destination = null!;
    private TaskCompletionSource _callbackMayEnd = new();
    private int _status = 200, _callbacks;

    public HandOverTests()
    {
        WatchedStore? watched = null;
        _service = new Service(inner => watched = new WatchedStore(inner));
        _watched = watched!;
        _callbackMayEnd.SetResult();
    }

    public async ValueTask InitializeAsync() => _destination = await StandIn.StartAsync(async context =>
    {
        if (context.Request.Path == "/callback")
        {
            Interlocked.Increment(ref _callbacks);
            await _callbackMayEnd.Task;
        }
        else
        {
            context.Response.StatusCode = _status;
        }
    });

    public async ValueTask DisposeAsync()
    {
        await _destination.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Theory]
    [InlineData(200)]
    [InlineData(500)]
    public async Task A_place_that_a_dead_worker_left_goes_to_the_callback(int status)
    {
        _status = status;
        var id = await PublishAsync("q", retries: 3);
        _watched.Faults = commit => commit.Table == GateRows.Table ? Fault.Before : Fault.None;
        await Assert.ThrowsAsync<StoreFaultException>(WorkAsync);
        _watched.Faults = _ => Fault.None;

        if (status == 200)
            await SweepLaterAsync();
        else
            Assert.True(await _service.Get<Cancellation>().CancelAsync(id));

        var callback = Assert.Single((await _service.Get<MessageStore>().GetAsync(id))!.Followers);
        var slot = Assert.Single((await _service.Get<Gates>().GetAsync(GateKind.Queue, "q"))!.Inside);
        Assert.Equal([callback], slot.HeldBy());
        await WorkAsync();
        Assert.NotNull((await _service.Get<MessageStore>().GetAsync(MessageId.Parse(callback)))!.Progress.EndedAt);
        Assert.Empty((await _service.Get<Gates>().GetAsync(GateKind.Queue, "q"))!.Inside);
        Assert.Equal(1, _callbacks);
    }

    [Fact]
    public async Task A_retry_does_not_send_the_callback_of_the_attempt_before_once_more()
    {
        _status = 500;
        _callbackMayEnd = new();
        // Its events lie on another day than its row.
        _service.Time.SetUtcNow(_service.Time.GetUtcNow().Date.AddDays(1).AddSeconds(-1));
        var id = await PublishAsync(queue: null, retries: 1);
        _service.Time.Advance(TimeSpan.FromSeconds(2));
        await WorkAsync();
        var first = await WorkUntilCalledBackAsync(1);

        _status = 200;
        _service.Time.Advance(TimeSpan.FromSeconds(2));
        await WorkAsync();
        Assert.Equal(MessageState.Delivered, (await _service.Get<MessageStore>().GetAsync(id))!.Progress.State);
        var second = await WorkUntilCalledBackAsync(2);
        _callbackMayEnd.SetResult();
        await Task.WhenAll(first, second);
        await WorkAsync();

        // One of each attempt.
        Assert.Equal(2, _callbacks);
    }

    private async Task<MessageId> PublishAsync(string? queue, int retries)
    {
        var request = Service.Request(_destination.Url + "/", "x",
            ("Upstash-Callback", _destination.Url + "/callback"), ("Upstash-Retries", $"{retries}"), ("Upstash-Retry-Delay", "1000"));
        return (await _service.Get<Publisher>().PublishAsync(request with { QueueName = queue })).Messages[0].Id;
    }

    private async Task WorkAsync()
    {
        var leases = await _service.Store.Queues.ReceiveAsync(WorkItem.Queue, 9, TimeSpan.FromMinutes(1), TimeSpan.Zero);
        await Task.WhenAll(leases.Select(lease => _service.New<DeliveryService>().RunAsync(lease.Text, lease)));
    }

    // The task ends with the answers.
    private async Task<Task> WorkUntilCalledBackAsync(int times)
    {
        var work = WorkAsync();
        var begun = TimeProvider.System.GetTimestamp();
        while (Volatile.Read(ref _callbacks) < times)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(60), "it is not called back");
            await Task.WhenAny(work, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System));
        }
        return work;
    }

    // When the place is no longer taken for granted.
    private async Task SweepLaterAsync()
    {
        var slot = Assert.Single((await _service.Get<Gates>().GetAsync(GateKind.Queue, "q"))!.Inside);
        _service.Time.SetUtcNow(DateTimeOffset.FromUnixTimeMilliseconds(slot.Until + 1));
        await _service.New<GateSweep>().RunAsync();
    }
}
