using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Queues;
using FuncStash.Storage;

namespace FuncStash.Functions.Tests.Delivery;

/// <summary>A message that the service itself fails at ends as a dead letter on Functions too, whichever way it waits.</summary>
public sealed class FailingMessageTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_without_its_payload_is_tried_again_and_then_given_up(bool isQueued)
    {
        await using var stage = await Stage.StartAsync();
        var queues = stage.Get<QueueService>();
        await queues.UpsertAsync("q", parallelism: 1, paused: true);
        var settings = new PublishSettings { Delay = isQueued ? null : TimeSpan.FromSeconds(1) };
        var request = new PublishRequest(stage.Receiver.Url("/never"), settings, new byte[300_000]) { QueueName = isQueued ? "q" : null };
        var id = (await stage.Get<Publisher>().PublishAsync(request)).Messages[0].Id;
        await stage.Get<IStore>().Bodies.DeleteAsync((await StoredAsync(stage, id)).Message.BodyName!);

        await queues.UpsertAsync("q", parallelism: null, paused: false);
        await Stage.UntilAsync(async () => (await StoredAsync(stage, id)).Progress.Failures == 1);
        // Those in between, which would take minutes.
        for (var i = 2; i < StepFailures.Most; i++)
            await stage.Get<FailingMessages>().CountAsync(id);
        await Stage.UntilAsync(async () => (await StoredAsync(stage, id)).Ended);

        var progress = (await StoredAsync(stage, id)).Progress;
        Assert.Equal((MessageState.Failed, 0), (progress.State, progress.Retried));
        // It follows the end.
        DeadLetter? letter = null;
        await Stage.UntilAsync(async () => (letter = await stage.Get<DeadLetterStore>().GetAsync(DlqId.Parse(progress.DlqId!))) is not null);
        Assert.Contains("payload", letter!.Error, StringComparison.Ordinal);
        Assert.Empty(stage.Receiver.All);
        // Its place is free.
        if (isQueued)
            await Stage.UntilAsync(async () => (await queues.GetAsync("q"))!.Lag == 0);
    }

    private static async Task<StoredMessage> StoredAsync(Stage stage, MessageId id) => (await stage.Get<MessageStore>().GetAsync(id))!;
}
