namespace FuncStash.Storage.Tests.Conformance;

/// <summary>Sending, visibility, leases and their loss.</summary>
public abstract class WorkQueuesConformance : StoreConformance
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(2), s_long = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task An_empty_queue_gives_nothing()
    {
        Assert.Empty(await ReceiveAsync());
        Assert.Empty(await ReceiveAsync(within: TimeSpan.FromMilliseconds(500)));
        Assert.Equal(0, await Queues.CountAsync(Queue, Cancelled));
    }

    [Fact]
    public async Task A_message_is_received_under_a_lease_and_deleted()
    {
        await SendAsync("hello");

        var lease = await ReceiveOneAsync();
        Assert.Equal(("hello", 1), (lease.Text, lease.DequeueCount));
        Assert.Contains(lease.Queue, Queues.NamesOf(Queue));
        Assert.Empty(await ReceiveAsync());
        Assert.Equal(1, await Queues.CountAsync(Queue, Cancelled));
        Assert.True(await Queues.DeleteAsync(lease, Cancelled));
        Assert.Equal(0, await Queues.CountAsync(Queue, Cancelled));
        Assert.Empty(await ReceiveAsync());
    }

    [Theory]
    [InlineData("Zürich 東京 🙂 e\u0301")]
    [InlineData("{\"a\":\"<&>\\\"\\\\\\n\"}\r\n\t")]
    [InlineData("x")]
    public async Task Text_comes_back_as_it_was(string text)
    {
        await SendAsync(text);
        Assert.Equal(text, (await ReceiveOneAsync()).Text);
    }

    [Fact]
    public async Task Text_may_be_32_KiB()
    {
        var text = string.Concat(Enumerable.Range(0, 32 * 1024).Select(i => (char)('a' + i % 26)));
        await SendAsync(text);
        Assert.Equal(text, (await ReceiveOneAsync()).Text);
    }

    [Fact]
    public async Task No_more_than_asked_for_are_received_and_all_in_the_end()
    {
        var sent = Enumerable.Range(0, 50).Select(i => $"m{i}").ToHashSet();
        await SendAsync([.. sent]);
        Assert.Equal(50, await Queues.CountAsync(Queue, Cancelled));

        var received = new List<string>();
        while (await ReceiveAsync(max: 7) is { Count: > 0 } page)
        {
            Assert.InRange(page.Count, 1, 7);
            received.AddRange(page.Select(l => l.Text));
        }

        Assert.Equal(50, received.Count);
        Assert.True(sent.SetEquals(received));
    }

    [Fact]
    public async Task More_than_a_page_of_the_store_may_be_asked_for()
    {
        await SendAsync([.. Enumerable.Range(0, 80).Select(i => $"m{i}")]); // Azure Queue gives 32 at once

        var received = new HashSet<string>();
        while (await ReceiveAsync(max: 100) is { Count: > 0 } page)
            received.UnionWith(page.Select(l => l.Text));

        Assert.Equal(80, received.Count);
    }

    [Fact]
    public async Task One_send_reaches_several_queues()
    {
        var other = Queue + "-other";
        await Queues.SendAsync([new(Queue, "a"), new(other, "b"), new(Queue, "c")], Cancelled);

        Assert.Equal("b", (await ReceiveOneAsync(queue: other)).Text);
        string[] received = [(await ReceiveOneAsync()).Text, (await ReceiveOneAsync()).Text];
        Assert.Equal(["a", "c"], received.Order(StringComparer.Ordinal)); // a queue promises no order
        Assert.Empty(await ReceiveAsync());
    }

    [Fact]
    public async Task A_delayed_message_is_hidden_until_it_is_due()
    {
        await Queues.SendAsync([new(Queue, "later", s_soon), new(Queue, "much later", s_long)], Cancelled);

        Assert.Empty(await ReceiveAsync());
        Assert.Equal(2, await Queues.CountAsync(Queue, Cancelled));
        Assert.Equal("later", (await ReceiveOneAsync()).Text);
        Assert.Empty(await ReceiveAsync());
    }

    [Fact]
    public async Task A_message_waits_behind_no_delayed_one()
    {
        await Queues.SendAsync([new(Queue, "later", s_long), new(Queue, "now")], Cancelled);
        Assert.Equal("now", (await ReceiveOneAsync()).Text);
    }

    [Fact]
    public async Task The_longest_delay_is_taken()
    {
        await Queues.SendAsync([new(Queue, "in a week", IWorkQueues.MaxDelay - TimeSpan.FromSeconds(1))], Cancelled);
        Assert.Empty(await ReceiveAsync());
        Assert.Equal(1, await Queues.CountAsync(Queue, Cancelled));
    }

    [Fact]
    public async Task A_lease_that_runs_out_gives_the_message_to_the_next_with_a_higher_count()
    {
        await SendAsync("m");
        var lost = await ReceiveOneAsync(lease: s_soon);

        var second = await ReceiveOneAsync(lease: s_soon);
        var third = await ReceiveOneAsync();

        Assert.Equal([1, 2, 3], [lost.DequeueCount, second.DequeueCount, third.DequeueCount]);
        Assert.False(await Queues.RenewAsync(lost, s_long, Cancelled));
        Assert.False(await Queues.DeleteAsync(lost, Cancelled));
        Assert.False(await Queues.PoisonAsync(second, Cancelled));
        Assert.Equal(1, await Queues.CountAsync(Queue, Cancelled));
        Assert.True(await Queues.DeleteAsync(third, Cancelled));
    }

    [Fact]
    public async Task A_renewed_lease_lasts_longer_and_still_ends_the_message()
    {
        await SendAsync("m");
        var lease = await ReceiveOneAsync(lease: s_soon);

        Assert.True(await Queues.RenewAsync(lease, TimeSpan.FromSeconds(30), Cancelled));
        Assert.Empty(await ReceiveAsync(within: s_soon + s_soon));
        Assert.True(await Queues.RenewAsync(lease, s_long, Cancelled));
        Assert.Empty(await ReceiveAsync());
        Assert.True(await Queues.DeleteAsync(lease, Cancelled));
        Assert.Equal(0, await Queues.CountAsync(Queue, Cancelled));
    }

    [Fact]
    public async Task A_message_is_postponed_by_a_renewal()
    {
        await SendAsync("m");
        var lease = await ReceiveOneAsync(lease: s_long);

        Assert.True(await Queues.RenewAsync(lease, s_soon, Cancelled));
        Assert.Empty(await ReceiveAsync());
        Assert.Equal(2, (await ReceiveOneAsync()).DequeueCount);
        Assert.False(await Queues.DeleteAsync(lease, Cancelled));
    }

    [Fact]
    public async Task A_renewal_by_zero_gives_the_message_back_at_once()
    {
        await SendAsync("m");
        Assert.True(await Queues.RenewAsync(await ReceiveOneAsync(), TimeSpan.Zero, Cancelled));
        Assert.Equal(2, (await ReceiveOneAsync()).DequeueCount);
    }

    [Fact]
    public async Task What_is_deleted_cannot_be_renewed_deleted_or_poisoned()
    {
        await SendAsync("m");
        var lease = await ReceiveOneAsync();
        Assert.True(await Queues.DeleteAsync(lease, Cancelled));

        Assert.False(await Queues.DeleteAsync(lease, Cancelled));
        Assert.False(await Queues.RenewAsync(lease, s_long, Cancelled));
        Assert.False(await Queues.PoisonAsync(lease, Cancelled));
        Assert.Equal(0, await Queues.CountAsync(Queue, Cancelled));
    }

    [Fact]
    public async Task A_poison_message_moves_to_the_poison_queue()
    {
        await SendAsync("bad", "good");
        var both = new[] { await ReceiveOneAsync(), await ReceiveOneAsync() };

        var bad = both.Single(l => l.Text == "bad");
        Assert.True(await Queues.PoisonAsync(bad, Cancelled));

        Assert.Equal(1, await Queues.CountAsync(Queue, Cancelled));
        Assert.Equal(1, await Queues.CountAsync(bad.Queue + "-poison", Cancelled));
        Assert.Equal("bad", (await ReceiveOneAsync(queue: bad.Queue + "-poison")).Text);
        Assert.Empty(await ReceiveAsync());
    }

    [Fact]
    public async Task A_send_ends_the_wait_of_a_receiver()
    {
        // No clock is advanced here: the send alone must end the wait.
        var waiting = Queues.ReceiveAsync(Queue, 10, s_long, TimeSpan.FromMinutes(1), Cancelled).AsTask();
        await SendAsync("m");
        Assert.Equal("m", Assert.Single(await waiting).Text);
    }

    [Fact]
    public async Task Each_message_goes_to_one_of_the_waiting_receivers()
    {
        var waiting = Enumerable.Range(0, 5)
            .Select(_ => Queues.ReceiveAsync(Queue, 1, s_long, TimeSpan.FromMinutes(1), Cancelled).AsTask()).ToArray();
        await SendAsync("0", "1", "2", "3", "4");

        var received = (await Task.WhenAll(waiting)).Select(l => Assert.Single(l).Text);
        Assert.Equal(["0", "1", "2", "3", "4"], received.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Cancellation_ends_the_wait()
    {
        using var stop = new CancellationTokenSource();
        var waiting = Queues.ReceiveAsync(Queue, 10, s_long, TimeSpan.FromMinutes(1), stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await SendAsync("m"); // and it took nothing along
        Assert.Equal("m", (await ReceiveOneAsync()).Text);
    }

    [Fact]
    public async Task What_is_sent_to_each_queue_in_which_one_lies_comes_once_from_each()
    {
        await Queues.SendToEachAsync(Queue, "m", Cancelled);

        var names = Queues.NamesOf(Queue);
        Assert.Equal(Queue, names[0]);
        Assert.Equal(names.Count, await Queues.CountAsync(Queue, Cancelled));
        var received = new List<Lease>();
        while (received.Count < names.Count)
            received.Add(await ReceiveOneAsync());
        Assert.Equal(names, received.Select(l => l.Queue).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_gathered_where_nothing_lies_elsewhere()
    {
        await SendAsync("m");

        Assert.True(await Queues.GatherAsync(Queue, Cancelled));

        Assert.Equal(1, (await ReceiveOneAsync()).DequeueCount);
    }

    private async Task SendAsync(params string[] texts) =>
        await Queues.SendAsync([.. texts.Select(t => new Send(Queue, t))], Cancelled);
}
