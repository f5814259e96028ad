using FuncStash.Messages;
using FuncStash.Sqlite;
using FuncStash.Storage;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Tests.Http;

/// <summary>What callers are told while the storage takes no writes, and how its end is found.</summary>
public sealed class StorageTroubleTests : IAsyncLifetime
{
    private readonly SqliteStore _inner = SqliteStore.Open(":memory:", new FakeTimeProvider());
    private readonly WatchedStore _store;
    private readonly TestService _service;

    public StorageTroubleTests() => _service = new TestService(store: _store = new WatchedStore(_inner));

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _service.DisposeAsync();
        await _inner.DisposeAsync();
    }

    [Theory]
    [InlineData("POST", "/v2/publish/https://example.com/")]
    [InlineData("POST", "/v2/enqueue/q/https://example.com/")]
    [InlineData("POST", "/v2/batch", """[{"destination":"https://example.com/"}]""")]
    [InlineData("POST", "/v2/schedules/https://example.com/")]
    [InlineData("POST", "/v2/queues", """{"queueName":"q","parallelism":2}""")]
    [InlineData("POST", "/v2/queues/q/pause")]
    [InlineData("POST", "/v2/flowControl/k/pause")]
    [InlineData("POST", "/v2/topics/t/endpoints", """{"endpoints":[{"url":"https://example.com/"}]}""")]
    [InlineData("DELETE", "/v2/messages")]
    [InlineData("DELETE", "/v2/messages/{id}")]
    [InlineData("DELETE", "/v2/queues/q")]
    [InlineData("POST", "/v2/keys/rotate")]
    public async Task A_call_that_cannot_be_stored_is_answered_with_503_the_reason_and_when_to_try_again(
        string method, string target, string body = "")
    {
        var id = await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        await _service.CallAsync("POST", "/v2/queues", """{"queueName":"q","parallelism":1}""");
        _store.Faults = _ => Fault.Before;

        var answer = await _service.CallAsync(
            method, target.Replace("{id}", id, StringComparison.Ordinal), body, null, ("Upstash-Cron", "* * * * *"));

        Assert.Equal((503, "the storage does not answer: try again later"), (answer.Status, answer.Error));
        Assert.Equal("5", answer.Headers["Retry-After"]);
    }

    [Fact]
    public async Task It_is_not_ready_before_anybody_wrote_and_until_a_write_succeeds()
    {
        _store.Faults = _ => Fault.Before;
        var asked = await ReadyAsync();
        Assert.Equal((503, "not ready: the storage does not answer"), (asked.Status, asked.Error));

        _service.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(503, (await ReadyAsync()).Status);

        _store.Faults = _ => Fault.None;
        // Nobody's question ends it.
        Assert.Equal(503, (await ReadyAsync()).Status);
        _service.Time.Advance(TimeSpan.FromSeconds(5));
        await _service.Get<StoreTrouble>().OverAsync(default).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        Assert.Equal(200, (await ReadyAsync()).Status);
    }

    [Fact]
    public async Task The_storage_is_tried_less_and_less_often_and_at_least_every_five_seconds()
    {
        _store.Faults = _ => Fault.Before;
        await _service.CallAsync("POST", "/v2/publish/https://example.com/");
        var before = _store.Commits;

        for (var passed = 0; passed < 60_000; passed += 100)
            _service.Time.Advance(TimeSpan.FromMilliseconds(100));

        // After 0.1, 0.3, 0.7, 1.5, 3.1 and 6.3 seconds, then 5 s apart.
        Assert.InRange(_store.Commits - before, 10, 17);
    }

    [Fact]
    public async Task A_read_goes_on_while_writes_fail()
    {
        var id = await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        _store.Faults = _ => Fault.Before;
        await _service.CallAsync("POST", "/v2/publish/https://example.com/");

        Assert.Equal(200, (await _service.CallAsync("GET", $"/v2/messages/{id}")).Status);
    }

    [Fact]
    public async Task While_writes_hang_what_writes_nothing_is_answered_and_a_publish_once_they_go_on()
    {
        var id = await _service.PublishAsync("https://example.com/", "", ("Upstash-Delay", "1h"));
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Ready = _ => goesOn.Task;

        var publishes = Enumerable.Range(0, 1000).Select(_ => _service.CallAsync("POST", "/v2/publish/https://example.com/")).ToList();
        Assert.Equal(200, (await _service.CallAsync("GET", $"/v2/messages/{id}")).Status);
        Assert.Equal(200, (await _service.CallAsync("GET", "/health", token: "")).Status);
        Assert.Equal(404, (await _service.CallAsync("POST", "/v2/publish/no-such-group")).Status);
        Assert.DoesNotContain(publishes, publish => publish.IsCompleted);
        goesOn.SetResult();

        Assert.All(await Task.WhenAll(publishes), answer => Assert.Equal(200, answer.Status));
    }

    [Fact]
    public async Task An_attempt_whose_outcome_cannot_be_stored_for_hours_is_made_once()
    {
        await using var destination = await TestDestination.StartAsync();
        var id = await _service.PublishAsync(destination.Url("/hook"));
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Ready = _ => goesOn.Task;
        var before = _store.Commits;

        var delivery = _service.DeliverDueAsync();
        // The first is that of the outcome: until then it is the attempt that the hours would end.
        await Eventually.GetAsync(() => Task.FromResult(_store.Commits), commits => commits > before);
        _service.Time.Advance(TimeSpan.FromHours(3));
        goesOn.SetResult();
        await delivery;

        Assert.Equal(MessageState.Delivered, (await _service.MessageAsync(id))!.Progress.State);
        Assert.Single(destination.Headers("/hook"));
    }

    private Task<TestAnswer> ReadyAsync() => _service.CallAsync("GET", "/ready", token: "");
}
