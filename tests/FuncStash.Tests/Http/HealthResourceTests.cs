using FuncStash.Http;
using FuncStash.Sqlite;
using FuncStash.Storage;

namespace FuncStash.Tests.Http;

public sealed class HealthResourceTests
{
    [Theory]
    [InlineData("/health", "healthy")]
    [InlineData("/ready", "ready")]
    public async Task A_service_that_is_well_says_so_without_a_token(string path, string status)
    {
        await using var service = new TestService();

        var answer = await service.CallAsync("GET", path, token: "");

        Assert.Equal((200, status), (answer.Status, (string?)answer.Json["status"]));
        Assert.Matches(@"\A\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?\z", (string?)answer.Json["version"]);
    }

    [Fact]
    public async Task Storage_that_fails_makes_it_not_ready_yet_healthy_and_the_cause_is_kept_back()
    {
        await using var store = new IllStore(_ => ValueTask.FromException(new IOException("account x, key y")));
        await using var service = new TestService(store: store);

        var ready = await service.CallAsync("GET", "/ready", token: "");
        var healthy = await service.CallAsync("GET", "/health", token: "");

        Assert.Equal((503, "not ready: the storage does not answer"), (ready.Status, ready.Error));
        Assert.Equal(200, healthy.Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Storage_that_hangs_is_given_up_after_the_limit(bool heedsCancellation)
    {
        await using var store = new IllStore(async stop =>
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, heedsCancellation ? stop : CancellationToken.None));
        await using var service = new TestService(store: store);

        var answer = service.CallAsync("GET", "/ready", token: "");
        service.Time.Advance(HealthResource.Limit - TimeSpan.FromMilliseconds(1));
        Assert.False(answer.IsCompleted);
        service.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(503, (await answer).Status);
    }

    private sealed class IllStore(Func<CancellationToken, ValueTask> ping) : IStore, IAsyncDisposable
    {
        private readonly SqliteStore _inner = SqliteStore.Open(":memory:", TimeProvider.System);

        public ITables Tables => _inner.Tables;

        public IWorkQueues Queues => _inner.Queues;

        public IBodies Bodies => _inner.Bodies;

        public ValueTask PingAsync(CancellationToken cancellation = default) => ping(cancellation);

        public ValueTask DisposeAsync() => _inner.DisposeAsync();
    }
}
