using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Waiting;

namespace FuncStash.Tests.Waiting;

/// <summary>
/// A ticket that should not have come, or came by another's clock: its message goes on under a new one only where no other acts for it.
/// </summary>
public sealed class TicketsInDoubtTests : BucketSteps
{
    private static readonly (string, string)[] s_oneAtATime = [("Upstash-Flow-Control-Key", "k"), ("Upstash-Flow-Control-Value", "parallelism=1")];

    [Fact]
    public async Task One_that_comes_a_moment_early_by_the_clock_of_its_worker_waits_in_place()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "30s"));
        var due = Service.Now + 30_000;
        Pass(TimeSpan.FromSeconds(28.5));
        await SendAsync(new WorkItem.Deliver(new DeliveryTicket(id, 0)));
        await RunAsync(await ReceiveAsync());

        Assert.Equal(["/fine"], Calls);
        Assert.InRange(Service.Now, due, due + 500);
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task One_of_a_gate_that_comes_early_by_the_clock_of_its_worker_comes_again_when_it_is_due()
    {
        var id = await PublishAsync("/fine", [("Upstash-Delay", "30s"), .. s_oneAtATime]);
        // By the clock of another.
        Assert.Equal(Entry.Admitted, await Service.Get<AdmissionService>().EnterAsync((await Messages.GetAsync(id))!));
        Pass(TimeSpan.FromSeconds(27));
        await SendAsync(new WorkItem.Deliver(new DeliveryTicket(id, 0)));
        await RunAsync(await ReceiveAsync());
        Assert.Empty(Calls);

        Pass(TimeSpan.FromSeconds(3));
        await RunAsync([.. (await ReceiveAsync()).Where(ticket => WorkItem.Parse(ticket.Text) is WorkItem.Deliver { DueAt: null })]);
        Assert.Equal(["/fine"], Calls);
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task A_message_that_its_gate_sends_on_its_way_is_left_to_the_gate()
    {
        var id = await PublishAsync("/fails", [("Upstash-Retry-Delay", "3000"), .. s_oneAtATime]);
        var first = await ReceiveAsync();
        await RunAsync(first);
        await PublishAsync("/fine", s_oneAtATime);
        var other = await ReceiveAsync();
        Pass(TimeSpan.FromSeconds(3));
        await WorkOffAsync();
        Assert.Equal(1, (await Service.Get<Gates>().GetAsync(GateKind.FlowKey, "k"))!.Waiting);

        // The work queue has been worked through since it was due.
        await SendAsync(WorkItem.Parse(Assert.Single(first).Text)!);
        for (var second = 0; second < 40; second++)
        {
            await WorkOffAsync();
            await Service.Get<QueueProbe>().SendAsync();
            Pass(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(0, (await Messages.GetAsync(id))!.Progress.Ticket);
        await RunAsync(other);
        await AssertEndsAsync(id, "/fails", "/fine", "/fails");
    }

    [Fact]
    public async Task A_message_that_has_just_come_due_is_not_taken_for_one_that_nobody_acts_for()
    {
        var id = await PublishAsync("/fine", ("Upstash-Delay", "30s"));
        var lost = new WorkItem.Recover(id, (await Messages.GetAsync(id))!.ETag!);
        Pass(TimeSpan.FromSeconds(31));
        var ticket = await ReceiveAsync();
        await SendAsync(lost);
        await RunAsync(await ReceiveAsync());
        Assert.Equal(0, (await Messages.GetAsync(id))!.Progress.Ticket);

        // And when it has been due for a while it is.
        Assert.True(await Service.Store.Queues.DeleteAsync(Assert.Single(ticket)));
        Pass(WorkItem.Recover.After);
        await WorkOffAsync();
        Assert.Equal(1, (await Messages.GetAsync(id))!.Progress.Ticket);
        await AssertEndsAsync(id, "/fine");
    }

    [Fact]
    public async Task One_of_a_try_that_was_not_stored_does_nothing_for_what_follows_from_its_message()
    {
        var id = await PublishAsync(
            "/fails", ("Upstash-Retry-Delay", "150000"), ("Upstash-Callback", UrlOf("/told")), ("Upstash-Callback-Delay", "15s"));
        FailOnce(Fault.Before, IsOutcome);
        await WorkOffAsync();
        Pass(TimeSpan.FromSeconds(20));
        await WorkOffAsync();
        Pass(TimeSpan.FromSeconds(90));
        await Service.Get<BucketWatch>().RunAsync();
        Pass(TimeSpan.FromSeconds(45));
        var wait = (await Messages.GetAsync(id))!.Progress.Wait;
        var tickets = await ReceiveAsync();
        Assert.Equal(2, tickets.Count);
        foreach (var ticket in tickets.OrderBy(ticket => ((WorkItem.Deliver)WorkItem.Parse(ticket.Text)!).Wait != wait))
            await RunAsync([ticket]);
        Assert.Equal(["/fails", "/told", "/fails"], Calls);

        Pass(WorkItem.Recover.After);
        Assert.Empty(await ReceiveAsync());
        await AssertEndsAsync(id, "/fails", "/told", "/fails", "/told");
    }

    private async Task SendAsync(WorkItem item) => await Service.Store.Queues.SendAsync([item.ToSend()]);
}
