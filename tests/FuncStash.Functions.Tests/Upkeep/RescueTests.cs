using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Functions.Tests.Upkeep;

/// <summary>What a killed instance had in hand goes on at once, and what one that is slow has in hand is left to it.</summary>
public sealed class RescueTests
{
    [Fact]
    public async Task An_attempt_under_way_on_a_killed_instance_is_made_by_another_before_the_lease_is_over()
    {
        await using var stage = await Stage.StartAsync();
        var gate = new TaskCompletionSource();
        stage.Receiver.Answers("/held", Answer.Hang(gate.Task), Answer.Ok);
        var id = await stage.PublishAsync("/held");
        await stage.StatesAsync(id, "ACTIVE");
        stage.App.Store.Kill();
        var rescuer = stage.Start();

        Assert.Equal(1, await RescueAsync(rescuer));

        await stage.StatesAsync(id, "DELIVERED");
        Assert.Equal(["0", "0"], stage.Receiver.Requests("/held").Select(request => request.Header("upstash-retried")));
        // Its row is gone, and nothing is done a second time.
        Assert.Null(await RescueAsync(rescuer, looks: 3));
        gate.SetResult();
        await stage.QuietAsync();
        Assert.Equal(2, stage.Receiver.All.Count);
    }

    [Fact]
    public async Task A_message_that_a_killed_instance_had_in_hand_for_a_moment_goes_on_too()
    {
        await using var stage = await Stage.StartAsync();
        stage.App.Store.KilledBefore = IsEnd;
        var id = await stage.PublishAsync("/moment");
        await Stage.UntilAsync(() => Task.FromResult(stage.App.Store.IsDead));
        var rescuer = stage.Start();

        Assert.Equal(1, await RescueAsync(rescuer));

        await stage.StatesAsync(id, "DELIVERED");
        Assert.Equal(2, stage.Receiver.All.Count);
    }

    [Fact]
    public async Task What_a_living_instance_has_in_hand_is_left_to_it_however_slow_it_is()
    {
        await using var stage = await Stage.StartAsync();
        var slow = stage.App;
        var gate = new TaskCompletionSource();
        stage.Receiver.Answers("/slow", Answer.Hang(gate.Task), Answer.Ok);
        var marked = await stage.PublishAsync("/slow");
        await stage.StatesAsync(marked, "ACTIVE");
        var killed = stage.Start();
        killed.Store.KilledBefore = IsEnd;
        var unmarked = MessageId.Parse(await stage.PublishAsync("/unmarked"));
        await Stage.UntilAsync(() => Task.FromResult(killed.Store.IsDead));
        var rescuer = stage.Start();
        // As if this one had received it a moment ago, and not got further.
        Assert.True(slow.Get<Presence>().TryTake(unmarked));

        Assert.Equal(0, await RescueAsync(rescuer, living: slow));
        Assert.Equal(2, stage.Receiver.All.Count);

        slow.Get<Presence>().Leave(unmarked);
        gate.SetResult();
        await stage.StatesAsync(marked, "DELIVERED");
        Assert.Single(stage.Receiver.Requests("/slow"));
    }

    [Fact]
    public async Task While_another_instance_does_not_say_what_it_has_nothing_is_sent_again()
    {
        await using var stage = await Stage.StartAsync();
        var silent = stage.App;
        await stage.PublishAsync("/first");
        await stage.Receiver.OneAsync("/first");
        var killed = stage.Start();
        killed.Store.KilledBefore = IsEnd;
        await stage.PublishAsync("/second");
        await Stage.UntilAsync(() => Task.FromResult(killed.Store.IsDead));
        var rescuer = stage.Start();
        var rescue = rescuer.Get<Rescue>();
        rescue.Silence = TimeSpan.FromMilliseconds(500);
        rescue.Patience = TimeSpan.FromSeconds(12);

        // The one that lives is heard of once more, and then not within the patience.
        await rescue.RunAsync();
        await silent.Get<Presence>().BeatAsync();
        await Task.Delay(rescue.Silence * 2, TimeProvider.System);
        await silent.Get<Presence>().BeatAsync();
        Assert.Null(await rescue.RunAsync());

        Assert.Single(stage.Receiver.Requests("/second"));
    }

    [Fact]
    public async Task An_instance_that_has_nothing_to_do_gives_no_sign_and_shows_itself_before_it_acts()
    {
        await using var stage = await Stage.StartAsync();
        await stage.App.Get<Presence>().BeatAsync();
        Assert.Empty(await BeatsAsync(stage));

        await stage.PublishAsync("/shown");
        await stage.Receiver.OneAsync("/shown");
        await stage.QuietAsync();

        Assert.Equal(stage.App.Get<Presence>().Name, Assert.Single(await BeatsAsync(stage)).RowKey);
        await stage.App.Get<Presence>().EndAsync();
        Assert.Empty(await BeatsAsync(stage));
    }

    private static bool IsEnd(Commit commit) => commit.Table == "messages" && commit.Writes.OfType<Write.Delete>().Any();

    private static ValueTask<IReadOnlyList<Entity>> BeatsAsync(Stage stage) =>
        stage.Store.Tables.QueryAsync("beats", "alive", RowRange.Prefix(""), 100);

    // Looks until it was found out what is to be rescued, or so many times, while those that live give their signs.
    private static async Task<int?> RescueAsync(AppInstance rescuer, AppInstance? living = null, int looks = 30)
    {
        var rescue = rescuer.Get<Rescue>();
        rescue.Silence = TimeSpan.FromSeconds(1);
        using var end = new CancellationTokenSource();
        var beating = Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                await rescuer.Get<Presence>().BeatAsync();
                if (living is not null)
                    await living.Get<Presence>().BeatAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        });
        int? rescued = null;
        for (; looks > 0 && rescued is null; looks--)
        {
            rescued = await rescue.RunAsync();
            await Task.Delay(rescue.Silence, TimeProvider.System);
        }
        await end.CancelAsync();
        await beating;
        return rescued;
    }
}
