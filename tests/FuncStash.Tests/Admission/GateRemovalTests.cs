using CsCheck;
using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Tests.Admission;

/// <summary>A gate that is there is listed, and nothing is left of one that is gone, whoever dies or comes in between.</summary>
public sealed class GateRemovalTests
{
    private const string Name = "g";

    [Theory]
    [InlineData(GateKind.Queue, Fault.Before)]
    [InlineData(GateKind.Queue, Fault.After)]
    [InlineData(GateKind.FlowKey, Fault.Before)]
    [InlineData(GateKind.FlowKey, Fault.After)]
    public async Task Whichever_commit_a_removal_dies_at_what_it_left_is_listed_or_goes_with_the_sweep(GateKind kind, object fault)
    {
        for (var at = 0; at < 10; at++)
        {
            foreach (var isUsedAgain in new[] { false, true })
            {
                await using var service = await LiveService.StartAsync();
                var store = new WatchedStore(service.Store);
                var gates = new Gates(store, new FuncStashOptions(), service.Clock);
                await gates.ChangeAsync(kind, Name, state => state);
                service.Clock.Advance((long)GateSweep.KeyLife.TotalMilliseconds + 10_000);
                var commits = 0;
                store.Faults = _ => commits++ == at ? (Fault)fault : Fault.None;
                var died = await Record.ExceptionAsync(async () => await gates.RemoveAsync(kind, Name)) is StoreFaultException;
                store.Faults = _ => Fault.None;

                if (isUsedAgain)
                {
                    await service.New<Gates>().ChangeAsync(kind, Name, state => state with { Paused = true });
                    Assert.Equal(Name, Assert.Single(await gates.ListAsync(kind).ToListAsync()).Name);
                }
                else
                {
                    service.Clock.Advance((long)GateSweep.KeyLife.TotalMilliseconds + 10_000);
                    await service.New<GateSweep>().RunAsync();
                    // A queue stays until somebody deletes it, which is easy while it is listed.
                    var left = await gates.ListAsync(kind).ToListAsync();
                    Assert.Equal(await gates.GetAsync(kind, Name) is null ? 0 : 1, left.Count);
                    Assert.True(kind == GateKind.Queue || left.Count == 0);
                    Assert.Equal(left.Select(gate => gate.Name), (await gates.NamedAsync(kind).ToListAsync()).Select(gate => gate.Name));
                }
                if (!died)
                    return;
            }
        }
        Assert.Fail("there was always one more commit");
    }

    [Fact]
    public Task A_queue_that_is_deleted_while_others_create_it_is_listed_if_it_is_there() =>
        Gen.Select(Gen.Bool.Array[2, 6], Gen.Int).SampleAsync(async (removals, seed) =>
        {
            var clock = new TestClock();
            await using var store = SqliteStore.Open(":memory:", clock);
            var stage = new Stage(store, seed);
            foreach (var removes in removals)
            {
                var gates = new Gates(stage, new FuncStashOptions(), clock);
                stage.Enter(async () =>
                {
                    if (removes)
                        await gates.RemoveAsync(GateKind.Queue, Name);
                    else
                        await gates.ChangeAsync(GateKind.Queue, Name, state => state);
                });
            }
            await stage.PlayAsync();

            var others = new Gates(store, new FuncStashOptions(), clock);
            Assert.Equal(
                await others.GetAsync(GateKind.Queue, Name) is null ? [] : [Name],
                (await others.ListAsync(GateKind.Queue).ToListAsync()).Select(gate => gate.Name));
        }, iter: 500, threads: 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task What_is_said_of_a_key_while_the_sweep_is_at_it_stays(bool isKnown) => Gen.Int.SampleAsync(
        async seed =>
        {
            var clock = new TestClock();
            await using var store = SqliteStore.Open(":memory:", clock);
            var stage = new Stage(store, seed);
            if (isKnown)
            {
                await new Gates(store, new FuncStashOptions(), clock).ChangeAsync(GateKind.FlowKey, Name, state => state);
                clock.Advance((long)GateSweep.KeyLife.TotalMilliseconds + 10_000);
            }
            await using var sweeper = new ServiceCollection().AddSingleton<TimeProvider>(clock).AddSingleton<IStore>(stage)
                .AddSingleton<IDeliverySchedule, QueueSchedule>().AddLogging().AddFuncStash(new FuncStashOptions()).BuildServiceProvider();
            stage.Enter(() => sweeper.GetRequiredService<GateSweep>().RunAsync());
            stage.Enter(() => new Gates(stage, new FuncStashOptions(), clock)
                .ChangeAsync(GateKind.FlowKey, Name, state => state with { Paused = true }));
            await stage.PlayAsync();

            Assert.True((await new Gates(store, new FuncStashOptions(), clock).GetAsync(GateKind.FlowKey, Name))?.Paused);
        }, iter: 100, threads: 1);
}
