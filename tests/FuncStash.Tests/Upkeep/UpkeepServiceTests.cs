using FuncStash.Cancelling;
using FuncStash.Publishing;
using FuncStash.Tests.Waiting;
using FuncStash.Upkeep;

namespace FuncStash.Tests.Upkeep;

public sealed class UpkeepServiceTests : IAsyncLifetime
{
    private readonly Service _service = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Fact]
    public async Task One_process_has_the_turn_until_it_is_due_again()
    {
        var turns = _service.Get<UpkeepTurns>();
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => turns.TryTakeAsync("job", TimeSpan.FromHours(1)).AsTask()));
        Assert.Single(taken, won => won);
        _service.Time.Advance(TimeSpan.FromMinutes(59));
        Assert.False(await turns.TryTakeAsync("job", TimeSpan.FromHours(1)));
        Assert.True(await turns.TryTakeAsync("other", TimeSpan.FromHours(1)));

        _service.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await turns.TryTakeAsync("job", TimeSpan.FromHours(1)));
        await turns.GiveBackAsync("job");
        Assert.True(await turns.TryTakeAsync("job", TimeSpan.FromHours(1)));
    }

    [Fact]
    public async Task What_is_left_in_queues_of_before_is_gathered_every_minute_until_nothing_is()
    {
        await using var service = new Service(inner => new SpreadStore(inner, 1) { Left = 5 });
        var store = (SpreadStore)service.Store;
        await service.Get<UpkeepService>().RunAsync();
        Assert.True(store.Left < 0);

        store.Left = 0;
        service.Time.Advance(TimeSpan.FromMinutes(1));
        await service.Get<UpkeepService>().RunAsync();

        Assert.Equal(-1, store.Left);
    }

    [Fact]
    public async Task The_jobs_are_done_when_they_are_due()
    {
        var upkeep = _service.Get<UpkeepService>();
        await upkeep.RunAsync();
        var sent = await _service.Get<Publisher>().PublishAsync(Service.Request("https://example.com", ""));
        await _service.Get<Cancellation>().CancelAsync(sent.Messages[0].Id);
        _service.Time.Advance(TimeSpan.FromDays(9));

        await upkeep.RunAsync();

        Assert.Empty(await _service.MessagesAsync());
        Assert.DoesNotContain(_service.Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }
}
