using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>
/// What waits outside of the work queue is written down before the step that it belongs to is stored. Where storing that fails,
/// and is done again, only the ticket of the try that was stored acts.
/// </summary>
public sealed class FailedStepTests : BucketSteps
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(50);

    [Theory]
    [InlineData(nameof(Fault.Before))]
    [InlineData(nameof(Fault.After))]
    public Task A_retry_that_is_stored_at_the_second_try_when_it_is_due_soon_is_made_once(string fault) =>
        AssertOnceAsync(fault, "/fails", "/fails", ("Upstash-Retry-Delay", "150000"));

    [Theory]
    [InlineData(nameof(Fault.Before))]
    [InlineData(nameof(Fault.After))]
    public Task A_callback_that_is_stored_at_the_second_try_when_it_is_due_soon_comes_once(string fault) =>
        AssertOnceAsync(fault, "/fine", "/told", ("Upstash-Callback", UrlOf("/told")), ("Upstash-Callback-Delay", "150s"));

    [Theory]
    [InlineData("2000")]
    [InlineData("150000")]
    public async Task A_callback_of_an_attempt_that_failed_comes_though_what_was_to_send_it_on_its_way_failed(string retryDelay)
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", retryDelay), ("Upstash-Callback", UrlOf("/told")));
        FailOnce(Fault.After, IsOutcome);
        for (var second = 0; second < 30; second++)
        {
            await WorkOffAsync();
            Pass(TimeSpan.FromSeconds(1));
        }

        Assert.Contains("/told", Calls);
        await AssertEndsAsync(id, "/fails", "/told", "/fails", "/told");
    }

    [Fact]
    public async Task A_message_that_is_sent_on_its_way_again_at_the_second_try_when_it_is_due_soon_comes_once()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await RestartAsync(id));
        Pass(TimeSpan.FromMinutes(10) - s_soon);

        Assert.True(await RestartAsync(id));
        await AssertEndsAsync(id, "/fine");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_that_could_not_be_sent_on_its_way_again_comes_once(bool latestFirst)
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await RestartAsync(id));
        Pass(TimeSpan.FromMinutes(9));
        await Service.Get<BucketWatch>().RunAsync();
        Pass(TimeSpan.FromMinutes(1));

        // Both are there before either is looked at.
        var tickets = await ReceiveAsync();
        Assert.Equal(2, tickets.Count);
        await RunAsync(latestFirst ? [.. tickets.Reverse()] : tickets);
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task A_message_whose_only_ticket_is_of_a_step_that_was_not_stored_is_not_lost()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await RestartAsync(id));
        Pass(TimeSpan.FromMinutes(9));
        await Service.Get<BucketWatch>().RunAsync();
        Pass(TimeSpan.FromMinutes(1));
        foreach (var ticket in await ReceiveAsync())
        {
            if (WorkItem.Parse(ticket.Text) is WorkItem.Deliver { Ticket.Number: 0 })
                Assert.True(await Service.Store.Queues.DeleteAsync(ticket));
            else
                await RunAsync([ticket]);
        }
        Assert.Empty(Calls);

        // When the work queue has been worked through since.
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task A_message_that_two_create_comes_once()
    {
        var due = Service.Now + 600_000;
        var message = new Message { Id = Service.Get<MessageIds>().Next(), Url = UrlOf("/fine"), NotBefore = due };
        var once = new NewMessage(message, Once: true);
        FailOnce(Fault.Before, IsOfMessages);
        await Assert.ThrowsAsync<StoreFaultException>(async () => await Messages.CreateAsync([once]));
        Pass(TimeSpan.FromMinutes(10) - s_soon);

        Assert.True(Assert.Single(await Messages.CreateAsync([once])));
        Assert.False(Assert.Single(await Messages.CreateAsync([once])));
        await AssertEndsAsync(message.Id, "/fine");
    }

    [Fact]
    public async Task What_waited_before_waits_had_numbers_comes()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "10m"));
        var rows = await Service.Store.Tables.QueryAsync(BucketRows.Table, BucketRows.Index, RowRange.Prefix(""), 10);
        var partition = BucketRows.Partition(BucketRows.FromIndexKey(Assert.Single(rows).RowKey));
        var row = Assert.Single(await Service.Store.Tables.QueryAsync(BucketRows.Table, partition, BucketRows.Deliveries, 10));
        var older = new Entity(partition, row.RowKey[..row.RowKey.LastIndexOf('|')], new Dictionary<string, object>());
        var stored = (await Messages.GetAsync(id))!;
        var message = MessageRows.ToRow(MessageRows.Live, stored with { Progress = stored.Progress with { Wait = 0 } });
        await CommitAsync(new Commit(BucketRows.Table, partition, [new Write.Delete(row.RowKey, null), new Write.Insert(older)]));
        await CommitAsync(new Commit(MessageRows.Table, message.PartitionKey, [new Write.Replace(message, stored.ETag!)]));

        await AssertEndsAsync(id, "/fine");
    }

    // What follows from the first attempt is due 150 s after it.
    private async Task AssertOnceAsync(string fault, string first, string second, params (string Name, string Value)[] headers)
    {
        var id = await PublishAsync(first, headers);
        FailOnce(Enum.Parse<Fault>(fault), IsOutcome, then: () => Pass(TimeSpan.FromSeconds(150) - s_soon));

        await WorkOffAsync();
        await AssertEndsAsync(id, first, second);
    }

    private async Task CommitAsync(Commit commit) => Assert.True((await Service.Store.Tables.CommitAsync(commit)).Applied);
}
