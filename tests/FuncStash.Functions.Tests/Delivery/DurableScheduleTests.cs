using FuncStash.Azure;
using FuncStash.EndToEnd.Tests.Receiving;
using FuncStash.Functions.Delivery;
using FuncStash.Http;
using FuncStash.Messages;
using static Microsoft.DurableTask.Client.OrchestrationRuntimeStatus;

namespace FuncStash.Functions.Tests.Delivery;

public sealed class DurableScheduleTests
{
    [Fact]
    public void The_trigger_reads_the_queue_that_the_store_writes() =>
        Assert.Equal(DeliveryTrigger.Queue, new AzureStoreOptions().QueueName(WorkItem.Queue));

    [Fact]
    public async Task A_queue_message_that_comes_twice_is_delivered_once()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/twice");
        await stage.Receiver.OneAsync("/twice");
        await stage.StatesAsync(id, "DELIVERED");

        await stage.Get<DeliveryTrigger>().RunAsync($"{id}|0", stage.Client);

        Assert.Single(stage.Receiver.All);
    }

    [Fact]
    public async Task A_text_that_is_no_ticket_fails_so_that_the_host_sets_it_aside()
    {
        await using var stage = await Stage.StartAsync();

        await Assert.ThrowsAsync<FormatException>(() => stage.Get<DeliveryTrigger>().RunAsync("rubbish", stage.Client));
    }

    [Fact]
    public async Task Starting_twice_delivers_once()
    {
        await using var stage = await Stage.StartAsync();
        var id = await stage.PublishAsync("/started-twice", ("Upstash-Delay", "5s"));
        await stage.OrchestrationAsync(id, Running);
        var dueAt = TimeProvider.System.GetUtcNow().AddSeconds(5).ToUnixTimeMilliseconds();

        await stage.Get<DurableSchedule>().StartAsync(new DeliveryTicket(MessageId.Parse(id), 0), dueAt, CancellationToken.None);

        await stage.OrchestrationAsync(id, Completed);
        await stage.StatesAsync(id, "DELIVERED");
        Assert.Single(stage.Receiver.Requests("/started-twice"));
    }

    [Fact]
    public async Task A_later_ticket_has_an_orchestration_of_its_own()
    {
        await using var stage = await Stage.StartAsync();
        stage.Receiver.Answers("/restarted", Answer.Ok);
        var id = await stage.PublishAsync("/restarted", ("Upstash-Delay", "5s"));
        await stage.OrchestrationAsync(id, Running);

        var messages = stage.Get<MessageStore>();
        Assert.True(await messages.RestartAsync((await messages.GetAsync(MessageId.Parse(id)))!));

        await stage.OrchestrationAsync(id, Completed);
        await stage.OrchestrationAsync(id + ".1", Completed);
        Assert.Equal("0", Assert.Single(stage.Receiver.Requests("/restarted")).Header("upstash-retried"));
    }
}
