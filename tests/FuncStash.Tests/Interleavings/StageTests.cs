using FuncStash.Sqlite;

namespace FuncStash.Tests.Interleavings;

public sealed class StageTests
{
    [Fact]
    public async Task An_actor_may_wait_for_what_one_that_has_ended_left_running()
    {
        await using var store = SqliteStore.Open(":memory:", new TestClock());
        var stage = new Stage(store, 1);
        var (goesOn, ended) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), false);
        var left = Task.CompletedTask;

        stage.Enter(() =>
        {
            left = Task.Run(async () =>
            {
                await goesOn.Task;
                await stage.Queues.CountAsync("q");
            }, TestContext.Current.CancellationToken);
            return Task.CompletedTask;
        });
        await stage.PlayAsync();
        stage.Enter(async () =>
        {
            goesOn.SetResult();
            await left;
            ended = true;
        });
        await stage.PlayAsync();

        Assert.True(ended);
    }
}
