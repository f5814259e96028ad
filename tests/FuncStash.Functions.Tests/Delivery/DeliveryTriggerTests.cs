using FuncStash.Functions.Delivery;
using FuncStash.Messages;
using FuncStash.Storage;
using Microsoft.DurableTask;

namespace FuncStash.Functions.Tests.Delivery;

public sealed class DeliveryTriggerTests
{
    [Fact]
    public async Task A_queue_message_that_comes_twice_is_delivered_once()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/twice");
        await stage.Receiver.OneAsync("/twice");
        await stage.StatesAsync(id, "DELIVERED");

        await stage.Get<DeliveryTrigger>().RunAsync($"{id}|0");

        Assert.Single(stage.Receiver.All);
    }

    [Fact]
    public async Task A_text_that_is_no_ticket_fails_so_that_the_host_sets_it_aside()
    {
        await using var stage = await Stage.StartAsync();

        await Assert.ThrowsAsync<FormatException>(() => stage.Get<DeliveryTrigger>().RunAsync("rubbish"));
    }

    [Fact]
    public async Task An_instance_lost_after_the_attempt_was_settled_sends_nothing_twice()
    {
        await using var stage = await Stage.StartAsync();
        stage.Receiver.Answers("/lost", Answer.Of(500, "no"), Answer.Ok);
        // Before the next attempt was sent for.
        stage.App.Store.KilledAfter = commit => commit.Writes.OfType<Write.Replace>().Any(write => write.Entity.Text("State") == "RETRY");
        var id = await stage.PublishAsync("/lost", ("Upstash-Retry-Delay", "20000"));
        await stage.Receiver.OneAsync("/lost");
        await Stage.UntilAsync(() => Task.FromResult(stage.App.Store.IsDead));
        stage.Start();

        // The host gives its message again before the next attempt is due, and once more after it.
        await stage.Get<DeliveryTrigger>().RunAsync($"{id}|0");
        Assert.Single(stage.Receiver.All);
        stage.Clock.Jump(TimeSpan.FromSeconds(31));

        Assert.Equal(["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED"], await stage.StatesAsync(id, "DELIVERED"));
        await stage.QuietAsync();
        Assert.Equal(["0", "1"], stage.Receiver.Requests("/lost").Select(request => request.Header("upstash-retried")));
    }

    [Fact]
    public async Task What_comes_while_the_storage_is_away_is_delivered_when_it_is_back_and_not_when_the_lease_is_over()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/away", ("Upstash-Delay", "1s"));
        stage.App.Store.IsAway = true;
        await Stage.UntilAsync(() => Task.FromResult(stage.Get<StoreTrouble>().Reason is not null));
        Assert.Empty(stage.Receiver.All);
        var (status, _) = await stage.SendAsync("POST", "/v2/publish/" + stage.Receiver.Url("/refused"));
        Assert.Equal(503, status);

        stage.App.Store.IsAway = false;
        var back = TimeProvider.System.GetTimestamp();
        await stage.Receiver.OneAsync("/away");

        Assert.InRange(TimeProvider.System.GetElapsedTime(back), TimeSpan.Zero, Stage.Lease / 2);
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(id, "DELIVERED"));
    }

    [Fact]
    public async Task An_attempt_that_ends_while_the_storage_is_away_is_settled_when_it_is_back_and_not_made_again()
    {
        await using var stage = await Stage.StartAsync();
        var gate = new TaskCompletionSource();
        stage.Receiver.Answers("/settled", Answer.Hang(gate.Task));
        var id = await stage.PublishAsync("/settled");
        await stage.Receiver.OneAsync("/settled");
        stage.App.Store.IsAway = true;
        gate.SetResult();
        await Stage.UntilAsync(() => Task.FromResult(stage.Get<StoreTrouble>().Reason is not null));

        stage.App.Store.IsAway = false;

        Assert.Equal("DELIVERED", (await stage.StatesAsync(id, "DELIVERED"))[^1]);
        await stage.QuietAsync();
        Assert.Single(stage.Receiver.All);
    }

    [Fact]
    public async Task What_waits_as_an_orchestration_of_the_version_before_goes_on_by_the_queue()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/drained", ("Upstash-Delay", "30m"));
        var due = stage.Clock.GetUtcNow().AddMinutes(30);
        stage.Clock.JumpTo(due.AddSeconds(1));

        await stage.Client.ScheduleNewOrchestrationInstanceAsync(
            DeliveryOrchestration.Name, new DeliveryWait($"{id}|0", TimeProvider.System.GetUtcNow().AddMilliseconds(500).ToUnixTimeMilliseconds()),
            new StartOrchestrationOptions(id));

        await stage.Receiver.OneAsync("/drained");
        Assert.Null((await stage.EndedAsync(id))!.FailureDetails);
        Assert.Equal(["CREATED", "ACTIVE", "DELIVERED"], await stage.StatesAsync(id, "DELIVERED"));
        // Its bucket's ticket finds nothing to do.
        await stage.UpkeepAsync();
        await stage.QuietAsync();
        Assert.Single(stage.Receiver.All);
    }
}
