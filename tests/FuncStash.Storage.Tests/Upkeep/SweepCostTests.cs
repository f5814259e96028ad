using FuncStash.Messages;
using FuncStash.Storage.Tests.Costs;
using FuncStash.Upkeep;
using FuncStash.Waiting;

namespace FuncStash.Storage.Tests.Upkeep;

/// <summary>What the sweep asks of Azure storage follows what is overdue, not what waits.</summary>
public sealed class SweepCostTests(AzuriteAccount account)
{
    private const int Lost = 3;

    [Fact]
    public async Task A_sweep_costs_the_same_whether_few_messages_wait_or_thousands()
    {
        var few = await MeasureAsync(waiting: 20);
        var many = await MeasureAsync(waiting: 3_000);

        // Each is read once and entered once, a hundred at a time.
        Assert.InRange((many.First.Table - few.First.Table) / 3_000, 0, 0.05);
        Assert.Equal(few.Later.Counts, many.Later.Counts);
        Assert.InRange(few.Later.Table, 1, 60);
    }

    private async Task<(Operations First, Operations Later)> MeasureAsync(int waiting)
    {
        await using var service = await MeteredService.StartAsync(account.Options());
        var (store, now) = (service.Get<IStore>(), service.Now.ToUnixTimeMilliseconds());
        await ManyRows.LiveAsync(store, service.Get<TimeProvider>(), waiting, now + 86_400_000);
        var first = await SweepAsync(service, TimeSpan.FromMinutes(15), found: 0);
        await ManyRows.LiveAsync(store, service.Get<TimeProvider>(), Lost, service.Now.ToUnixTimeMilliseconds());
        return (first, await SweepAsync(service, TimeSpan.FromMinutes(15), found: Lost));
    }

    private static async Task<Operations> SweepAsync(MeteredService service, TimeSpan pause, int found)
    {
        service.Advance(pause);
        await service.Get<QueueProbe>().NoteAsync(WorkItem.Queue, service.Now.ToUnixTimeMilliseconds());
        return await service.MeasureAsync(1, async () =>
        {
            var run = service.Get<Sweep>().RunAsync();
            // Between finding and sending again it waits for a while.
            while (!run.IsCompleted)
            {
                service.Advance(TimeSpan.FromSeconds(1));
                await Task.WhenAny(run, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System));
            }
            Assert.Equal(found, await run);
        });
    }
}
