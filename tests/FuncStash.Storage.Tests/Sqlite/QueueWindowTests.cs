using System.Diagnostics;
using FuncStash.Sqlite;
using FuncStash.Sqlite.Queues;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests.Sqlite;

/// <summary>What is in memory and what is in the file add up to the queue, whatever its length.</summary>
public sealed class QueueWindowTests
{
    private const string Queue = "queue";

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_backlog_of_100_000_is_received_fast_and_does_not_fill_memory()
    {
        await using var store = SqliteStore.Open(":memory:", _clock);
        for (var i = 0; i < 100; i++)
            await store.Queues.SendAsync(
                [.. Enumerable.Range(i * 1000, 1000).SelectMany(n => new[]
                    { new Send(Queue, $"now {n}"), new Send(Queue, $"later {n}", TimeSpan.FromHours(1)) })], Cancelled);
        var queue = ((SqliteWorkQueues)store.Queues).Get(Queue);
        Assert.InRange(queue.Held, 0, 1_500);

        var received = new HashSet<string>();
        var time = Stopwatch.StartNew();
        while (await ReceiveAsync(store, 32, TimeSpan.FromMinutes(5)) is { Count: > 0 } leases)
        {
            received.UnionWith(leases.Select(l => l.Text));
            Assert.InRange(queue.Held - received.Count, 0, 1_500);
        }

        Assert.Equal(100_000, received.Count);
        Assert.All(received, text => Assert.StartsWith("now", text, StringComparison.Ordinal));
        Assert.True(time.Elapsed < TimeSpan.FromSeconds(30), $"took {time.Elapsed}; reading all each time takes minutes");
    }

    [Fact]
    public async Task After_a_restart_what_was_leased_is_visible_and_what_was_postponed_is_not()
    {
        using var folder = new TemporaryFolder();
        await using (var store = SqliteStore.Open(folder.File("store.db"), _clock))
        {
            await store.Queues.SendAsync(
                [.. new[] { "leased", "postponed", "settled later", "deleted" }.Select(t => new Send(Queue, t)),
                    new Send(Queue, "delayed", TimeSpan.FromHours(2))], Cancelled);
            var leases = (await ReceiveAsync(store, 10, TimeSpan.FromMinutes(5))).ToDictionary(l => l.Text);
            Assert.True(await store.Queues.RenewAsync(leases["leased"], TimeSpan.FromMinutes(5), Cancelled));
            Assert.True(await store.Queues.RenewAsync(leases["postponed"], TimeSpan.FromHours(1), Cancelled));
            Assert.True(await store.Queues.DeleteAsync(leases["deleted"], Cancelled));
            await store.Tables.CommitAsync(
                new Commit("t", "p", []) { LeaseEnd = new LeaseEnd(leases["settled later"], TimeSpan.FromMinutes(5)) }, Cancelled);
        }

        await using var again = SqliteStore.Open(folder.File("store.db"), _clock);
        Assert.Equal(4, await again.Queues.CountAsync(Queue, Cancelled));
        Assert.Equal("leased", Assert.Single(await ReceiveAsync(again, 10, TimeSpan.FromHours(9))).Text);
        _clock.Advance(TimeSpan.FromMinutes(5));
        var settled = Assert.Single(await ReceiveAsync(again, 10, TimeSpan.FromHours(9)));
        Assert.Equal(("settled later", 2), (settled.Text, settled.DequeueCount));
        _clock.Advance(TimeSpan.FromMinutes(55));
        Assert.Equal("postponed", Assert.Single(await ReceiveAsync(again, 10, TimeSpan.FromHours(9))).Text);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("delayed", Assert.Single(await ReceiveAsync(again, 10, TimeSpan.FromHours(9))).Text);
    }

    [Fact]
    public async Task A_postponed_message_may_still_be_ended_by_who_postponed_it()
    {
        await using var store = SqliteStore.Open(":memory:", _clock);
        await store.Queues.SendAsync([new Send(Queue, "m"), new Send(Queue, "n")], Cancelled);
        var leases = await ReceiveAsync(store, 2, TimeSpan.FromSeconds(30));
        foreach (var lease in leases)
            Assert.True(await store.Queues.RenewAsync(lease, TimeSpan.FromHours(1), Cancelled));

        Assert.True(await store.Queues.RenewAsync(leases[0], TimeSpan.FromHours(2), Cancelled));
        Assert.True(await store.Queues.DeleteAsync(leases[1], Cancelled));
        _clock.Advance(TimeSpan.FromMinutes(90));
        Assert.Empty(await ReceiveAsync(store, 2, TimeSpan.FromMinutes(5)));
        _clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal("m", Assert.Single(await ReceiveAsync(store, 2, TimeSpan.FromMinutes(5))).Text);
        Assert.False(await store.Queues.DeleteAsync(leases[0], Cancelled));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public async Task Random_use_gives_what_a_plain_list_of_messages_gives(int seed, bool clockIsSetBack = false)
    {
        await using var store = SqliteStore.Open(":memory:", _clock);
        var random = new Random(seed);
        var model = new Dictionary<string, long>(); // text to the time from which it is visible
        var leases = new List<Lease>();
        for (var step = 0; step < 200; step++)
        {
            switch (random.Next(10))
            {
                case < 3:
                    await SendAsync(store, model, step, random);
                    break;
                case < 7:
                    leases.AddRange(await ReceiveAsync(store, model, random, strict: !clockIsSetBack));
                    break;
                case < 9 when leases.Count > 0:
                    for (var n = random.Next(leases.Count); n >= 0; n--)
                        await EndAsync(store, model, TakeOut(leases, random), random);
                    break;
                default:
                    _clock.AdjustTime(_clock.GetUtcNow() + TimeSpan.FromSeconds(random.Next(clockIsSetBack ? -4 : 0, 10)));
                    break;
            }

            Assert.Equal(model.Count, await store.Queues.CountAsync(Queue, Cancelled));
        }

        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(model.Keys.Order(), (await ReceiveAsync(store, 100_000, TimeSpan.FromDays(1))).Select(l => l.Text).Order());
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task SendAsync(SqliteStore store, Dictionary<string, long> model, int step, Random random)
    {
        var sends = Enumerable.Range(0, random.Next(1, 600)).Select(i => new Send(
            Queue, $"{step}-{i}", TimeSpan.FromSeconds(random.Next(2) == 0 ? 0 : random.Next(20)))).ToArray();
        await store.Queues.SendAsync(sends, Cancelled);
        foreach (var send in sends)
            model.Add(send.Text, Now + (long)send.Delay.TotalMilliseconds);
    }

    private async Task<IReadOnlyList<Lease>> ReceiveAsync(SqliteStore store, Dictionary<string, long> model, Random random, bool strict)
    {
        var (max, lease) = (random.Next(1, 500), TimeSpan.FromSeconds(random.Next(1, 20)));
        var visible = model.Count(m => m.Value <= Now);
        var received = await ReceiveAsync(store, max, lease);
        Assert.InRange(received.Count, Math.Min(max, visible), strict ? Math.Min(max, visible) : max);
        foreach (var one in received)
        {
            Assert.True(model[one.Text] <= Now || !strict, "received while hidden"); // once visible stays visible
            model[one.Text] = Now + (long)lease.TotalMilliseconds;
        }

        return received;
    }

    private async Task EndAsync(SqliteStore store, Dictionary<string, long> model, Lease lease, Random random)
    {
        var postponed = TimeSpan.FromSeconds(random.Next(3) * 40);
        var (ended, visibleAt) = random.Next(4) switch
        {
            0 => (await store.Queues.RenewAsync(lease, postponed, Cancelled), Now + (long)postponed.TotalMilliseconds),
            1 => (await store.Queues.PoisonAsync(lease, Cancelled), -1),
            _ => (await store.Queues.DeleteAsync(lease, Cancelled), -1L),
        };
        if (ended && visibleAt >= 0)
            model[lease.Text] = visibleAt;
        else if (ended)
            Assert.True(model.Remove(lease.Text), "ended twice");
    }

    private static Lease TakeOut(List<Lease> leases, Random random)
    {
        var index = random.Next(leases.Count);
        var lease = leases[index];
        leases.RemoveAt(index);
        return lease;
    }

    private static async Task<IReadOnlyList<Lease>> ReceiveAsync(SqliteStore store, int max, TimeSpan lease) =>
        await store.Queues.ReceiveAsync(Queue, max, lease, TimeSpan.Zero, Cancelled);
}
