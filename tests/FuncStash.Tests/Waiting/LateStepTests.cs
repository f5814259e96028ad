using FuncStash.Messages;
using FuncStash.Storage;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>A step that is stored, or found to be, only when the ticket that it wrote has come: no attempt is made twice, and none is lost.</summary>
public sealed class LateStepTests : BucketSteps
{
    [Fact]
    public async Task A_worker_that_learns_late_that_its_outcome_is_stored_leaves_the_next_attempt_to_its_ticket()
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "150000"));
        FailOnce(Fault.After, IsOutcome, then: () => Pass(TimeSpan.FromSeconds(160)));

        await RunAsync(await ReceiveAsync());
        Assert.Equal(["/fails"], Calls);
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_retry_whose_ticket_comes_before_it_is_stored_is_not_lost()
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "170000"));
        TakeLongOnce(IsOutcome);

        await RunAsync(await ReceiveAsync());
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_retry_of_which_it_is_learnt_late_that_it_is_stored_is_made_once_though_it_is_being_made()
    {
        var id = await PublishAsync("/fails", ("Upstash-Retry-Delay", "170000"));
        var (retry, answer) = (Task.CompletedTask, new TaskCompletionSource());
        Watched.Written = async commit =>
        {
            if (!IsOutcome(commit))
                return;
            Watched.Written = _ => Task.CompletedTask;
            Pass(TimeSpan.FromMinutes(4));
            await Service.Get<BucketWatch>().RunAsync();
            Answer = answer;
            retry = RunAsync(Assert.Single(await ReceiveAsync()));
        };
        await RunAsync(await ReceiveAsync());
        await Service.PassTimeAsync(UntilAsync(async () => (await Messages.GetAsync(id))!.Progress.State == MessageState.Active), TimeSpan.FromMilliseconds(10));

        // Whoever stored it looks after it, and others work.
        for (var second = 0; second < 20; second++)
        {
            Pass(TimeSpan.FromSeconds(1));
            await WorkOffAsync();
        }
        answer.SetResult();
        await Service.PassTimeAsync(retry, TimeSpan.FromMilliseconds(10));
        await AssertEndsAsync(id, "/fails", "/fails");
    }

    [Fact]
    public async Task A_message_whose_ticket_comes_before_it_is_stored_is_not_lost()
    {
        TakeLongOnce(IsOfMessages);
        await AssertEndsAsync(await PublishAsync("/fine", ("Upstash-Delay", "170s")), "/fine");
    }

    [Fact]
    public async Task A_message_that_is_sent_on_its_way_again_and_whose_ticket_comes_before_that_is_stored_is_not_lost()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "170s"));
        TakeLongOnce(IsOfMessages, ticket: 1);

        Assert.True(await RestartAsync(id));
        await AssertEndsAsync(id, "/fine");
    }

    // So long that what waits for it comes meanwhile: all of it, or the tickets of one number.
    private void TakeLongOnce(Func<Commit, bool> which, int? ticket = null) => Watched.Ready = async commit =>
    {
        if (!which(commit))
            return;
        Watched.Ready = _ => Task.CompletedTask;
        Pass(TimeSpan.FromMinutes(4));
        await Service.Get<BucketWatch>().RunAsync();
        var leases = await ReceiveAsync();
        Assert.NotEmpty(leases);
        foreach (var lease in leases.Where(lease => ticket is not { } number || ((WorkItem.Deliver)WorkItem.Parse(lease.Text)!).Ticket.Number == number))
            await RunAsync(lease);
    };
}
