namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Commits that also send and end a lease.</summary>
public abstract class StepsConformance : StoreConformance
{
    [Fact]
    public async Task Writes_sends_and_the_end_of_the_lease_stand_together()
    {
        var etag = (await CommitAsync("p", Insert("p", "message"))).ETags[0];
        await Queues.SendAsync([new Send(Queue, "attempt")], Cancelled);
        var lease = await ReceiveOneAsync();

        var result = await Tables.CommitAsync(
            new Commit(Table, "p", [new Write.Delete("message", etag), Insert("p", "event")])
            {
                Sends = [new Send(Queue + "-next", "callback"), new Send(Queue + "-next", "later", TimeSpan.FromSeconds(2))],
                LeaseEnd = new LeaseEnd(lease),
            },
            Cancelled);

        Assert.True(result.Applied);
        Assert.Null(await GetAsync("p", "message"));
        Assert.NotNull(await GetAsync("p", "event"));
        Assert.Equal("callback", (await ReceiveOneAsync(queue: Queue + "-next")).Text);
        Assert.Equal("later", (await ReceiveOneAsync(queue: Queue + "-next")).Text);
        Assert.Equal(0, await Queues.CountAsync(Queue, Cancelled));
        Assert.False(await Queues.DeleteAsync(lease, Cancelled));
    }

    [Fact]
    public async Task A_conflict_sends_nothing_and_leaves_the_lease()
    {
        await CommitAsync("p", Insert("p", "taken"));
        await Queues.SendAsync([new Send(Queue, "attempt")], Cancelled);
        var lease = await ReceiveOneAsync();

        var result = await Tables.CommitAsync(
            new Commit(Table, "p", [Insert("p", "new"), Insert("p", "taken")])
            {
                Sends = [new Send(Queue + "-next", "callback")],
                LeaseEnd = new LeaseEnd(lease),
            },
            Cancelled);

        Assert.Equal(1, result.FailedWrite);
        Assert.Null(await GetAsync("p", "new"));
        Assert.Equal(0, await Queues.CountAsync(Queue + "-next", Cancelled));
        Assert.Equal(1, await Queues.CountAsync(Queue, Cancelled));
        Assert.Empty(await ReceiveAsync());
        Assert.True(await Queues.DeleteAsync(lease, Cancelled));
    }

    [Fact]
    public async Task A_lease_may_end_in_a_postponement()
    {
        await Queues.SendAsync([new Send(Queue, "attempt")], Cancelled);
        var lease = await ReceiveOneAsync();

        var result = await Tables.CommitAsync(
            new Commit(Table, "p", [Insert("p", "event")]) { LeaseEnd = new LeaseEnd(lease, TimeSpan.FromSeconds(2)) },
            Cancelled);

        Assert.True(result.Applied);
        Assert.Empty(await ReceiveAsync());
        var again = await ReceiveOneAsync();
        Assert.Equal(("attempt", 2), (again.Text, again.DequeueCount));
        Assert.True(await Queues.DeleteAsync(again, Cancelled));
    }

    [Fact]
    public async Task Writes_and_sends_stand_when_the_lease_was_lost()
    {
        await Queues.SendAsync([new Send(Queue, "attempt")], Cancelled);
        var lost = await ReceiveOneAsync(lease: TimeSpan.FromSeconds(1));
        var holder = await ReceiveOneAsync();

        var result = await Tables.CommitAsync(
            new Commit(Table, "p", [Insert("p", "event")]) { LeaseEnd = new LeaseEnd(lost) }, Cancelled);

        Assert.True(result.Applied);
        Assert.NotNull(await GetAsync("p", "event"));
        Assert.True(await Queues.DeleteAsync(holder, Cancelled));
    }

    [Fact]
    public async Task A_commit_may_only_send()
    {
        var result = await Tables.CommitAsync(new Commit(Table, "p", []) { Sends = [new Send(Queue, "m")] }, Cancelled);

        Assert.True(result.Applied);
        Assert.Empty(result.ETags);
        Assert.Equal("m", (await ReceiveOneAsync()).Text);
    }

    [Fact]
    public async Task The_send_of_a_commit_ends_the_wait_of_a_receiver()
    {
        var waiting = Queues.ReceiveAsync(Queue, 10, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(1), Cancelled).AsTask();

        await Tables.CommitAsync(new Commit(Table, "p", [Insert("p", "r")]) { Sends = [new Send(Queue, "m")] }, Cancelled);

        Assert.Equal("m", Assert.Single(await waiting).Text);
        Assert.NotNull(await GetAsync("p", "r"));
    }
}
