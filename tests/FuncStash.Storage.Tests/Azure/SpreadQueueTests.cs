using FuncStash.Azure;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests;

/// <summary>A queue that lies in several of the account, and what becomes of it when their number changes.</summary>
public sealed class SpreadQueueTests(AzuriteAccount account) : IDisposable
{
    private const string Queue = "work";

    private static readonly TimeSpan s_lease = TimeSpan.FromMinutes(5), s_patience = TimeSpan.FromSeconds(60), s_poll = TimeSpan.FromMilliseconds(20);

    private readonly AzureStoreOptions _options = account.Options();
    private readonly List<AzureStore> _open = [];

    // The queues as if they had nothing to do with one another.
    private IWorkQueues Each => Open(_options);

    public void Dispose() => _open.ForEach(store => store.Dispose());

    [Fact]
    public async Task What_is_sent_lies_evenly_in_all_of_them_and_is_counted_together()
    {
        var queues = OpenOver(3);

        await SendAsync(queues, 30);

        Assert.Equal([10, 10, 10], await CountsAsync("work", "work-2", "work-3"));
        Assert.Equal(30, await queues.CountAsync(Queue));
    }

    [Fact]
    public async Task A_lease_renews_deletes_and_poisons_in_the_queue_that_it_is_of()
    {
        var queues = OpenOver(3);
        await SendAsync(queues, 6);
        var leases = (await DrainAsync(queues)).GroupBy(lease => lease.Queue).ToList();
        Assert.Equal(3, leases.Count);

        foreach (var two in leases)
        {
            Assert.True(await queues.RenewAsync(two.First(), s_lease));
            Assert.True(await queues.DeleteAsync(two.First()));
            Assert.True(await queues.PoisonAsync(two.Last()));
        }

        Assert.Equal(0, await queues.CountAsync(Queue));
        Assert.Equal([1, 1, 1], await CountsAsync("work-poison", "work-2-poison", "work-3-poison"));
    }

    [Fact]
    public async Task A_backlog_in_one_keeps_nobody_from_the_others()
    {
        await SendAsync(Each, 200);
        await Each.SendAsync([new Send("work-2", "other"), new Send("work-3", "other")]);
        var queues = OpenOver(3);

        var received = new List<string>();
        for (var i = 0; i < 4; i++)
            received.AddRange((await queues.ReceiveAsync(Queue, 32, s_lease, TimeSpan.Zero)).Select(lease => lease.Text));

        Assert.Equal(2, received.Count(text => text == "other"));
    }

    [Fact]
    public async Task A_smaller_number_leaves_nothing_behind_and_what_is_not_due_comes_later()
    {
        var before = OpenOver(3);
        await SendAsync(before, 30);
        await before.SendAsync([.. Enumerable.Range(0, 3).Select(i => new Send(Queue, $"later {i}", TimeSpan.FromSeconds(2)))]);
        var after = OpenOver(1);
        var received = await DrainAsync(after);
        Assert.Equal(10, received.Count(lease => !IsLater(lease)));

        var began = TimeProvider.System.GetTimestamp();
        while (received.Count < 33)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < s_patience, $"{received.Count} of 33 came");
            Assert.True(await after.GatherAsync(Queue));
            received.AddRange(await DrainAsync(after));
            await Task.Delay(s_poll, TimeProvider.System);
        }

        Assert.Equal((30, 3), (received.Count(lease => !IsLater(lease)), received.Count(IsLater)));
        Assert.Equal([0, 0], await CountsAsync("work-2", "work-3"));
    }

    [Fact]
    public async Task More_than_a_call_gathers_is_left_to_the_next_one()
    {
        foreach (var some in Enumerable.Range(0, 1_100).Select(i => new Send("work-2", $"{i}")).Chunk(100))
            await Each.SendAsync(some);
        var after = OpenOver(1);

        Assert.False(await after.GatherAsync(Queue));
        Assert.True(await after.GatherAsync(Queue));

        Assert.Equal([1_100, 0], await CountsAsync("work", "work-2"));
    }

    [Fact]
    public async Task Queues_that_never_were_are_asked_about_once_an_hour_and_one_that_was_used_each_time()
    {
        await SendAsync(OpenOver(2), 2);
        var (time, counter) = (new FakeTimeProvider(TimeProvider.System.GetUtcNow()), new OperationCounter());
        var after = Open(_options with { Spread = new QueueSpread(Queue, 1), Time = time, OperationPolicy = counter });
        var asked = new List<long>();
        for (var i = 0; i < 3; i++)
        {
            await after.GatherAsync(Queue);
            asked.Add(counter["queue receive"] + counter["queue empty receive"] - asked.Sum());
            if (i == 1)
                time.Advance(TimeSpan.FromHours(1));
        }

        // The second of the eight gives its message and then nothing.
        Assert.Equal([8, 1, 7], asked);
        Assert.Equal((1, 1), (counter["queue send"], counter["queue create"]));
    }

    private static bool IsLater(Lease lease) => lease.Text.StartsWith("later", StringComparison.Ordinal);

    private IWorkQueues OpenOver(int count) => Open(_options with { Spread = new QueueSpread(Queue, count) });

    private IWorkQueues Open(AzureStoreOptions options)
    {
        var store = new AzureStore(options);
        _open.Add(store);
        return store.Queues;
    }

    private static ValueTask SendAsync(IWorkQueues queues, int count) =>
        queues.SendAsync([.. Enumerable.Range(0, count).Select(i => new Send(Queue, $"{i}"))]);

    private async Task<IEnumerable<long>> CountsAsync(params string[] names) =>
        await Task.WhenAll(names.Select(name => Each.CountAsync(name).AsTask()));

    private static async Task<List<Lease>> DrainAsync(IWorkQueues queues)
    {
        var all = new List<Lease>();
        while (await queues.ReceiveAsync(Queue, 32, s_lease, TimeSpan.Zero) is { Count: > 0 } some)
            all.AddRange(some);
        return all;
    }
}
