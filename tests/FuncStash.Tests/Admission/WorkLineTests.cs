using FuncStash.Admission;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;

namespace FuncStash.Tests.Admission;

/// <summary>Nothing that comes to a gate is left there with nobody to work it off.</summary>
public sealed class WorkLineTests
{
    /// <summary>
    /// A worker that finds nothing more and leaves, and somebody who adds something in that moment, over and over: either the
    /// worker takes it, or whoever added it is told to.
    /// </summary>
    /// <remarks>
    /// With the flag without a fence of <see cref="WakeUpModel"/>, one of some ten thousand rounds leaves the thing there, where
    /// two processors are free to run this.
    /// </remarks>
    [Fact]
    public void Whoever_adds_in_the_moment_in_which_the_worker_leaves_is_heard()
    {
        const int Rounds = 100_000;
        var line = new WorkLine<int>();
        Assert.Equal(Added.Yours, line.Add(0));
        var (begun, done, answer) = (0, 0, Added.Yours);
        var adding = new Thread(() =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                Wait(ref begun, round);
                answer = line.Add(round);
                Volatile.Write(ref done, round);
            }
        });
        adding.Start();
        for (var round = 1; round <= Rounds; round++)
        {
            Assert.Single(line.Take(9));
            Volatile.Write(ref begun, round);
            // A little later each time, so that the two moments meet.
            Thread.SpinWait(round % 64);
            var taken = line.Take(9).Count;
            Wait(ref done, round);
            Assert.Equal(taken == 0 ? Added.Yours : Added.Underway, answer);
            // Of the two, whoever has it goes on with it into the next round.
            if (taken > 0)
                Assert.Equal(Added.Underway, line.Add(0));
        }
        adding.Join();
    }

    [Fact]
    public void A_flag_without_a_fence_loses_a_wake_up_and_one_step_under_a_lock_does_not()
    {
        Assert.True(WakeUpModel.CanLose(WakeUpModel.FlagWithoutFence));
        Assert.False(WakeUpModel.CanLose(WakeUpModel.FlagWithFence));
        Assert.False(WakeUpModel.CanLose(WakeUpModel.UnderLock));
    }

    private static void Wait(ref int at, int round)
    {
        for (var i = 0; Volatile.Read(ref at) < round; i++)
        {
            if (i > 10_000)
                Thread.Yield();
        }
    }

    [Fact]
    public void A_line_is_closed_only_while_nobody_works_it_off_and_then_takes_nothing()
    {
        var line = new WorkLine<string>();
        Assert.Equal(Added.Yours, line.Add("a"));
        Assert.Equal(Added.Underway, line.Add("b"));
        Assert.False(line.TryClose());
        Assert.Equal(["a", "b"], line.Take(9));
        Assert.False(line.TryClose());
        Assert.Empty(line.Take(9));
        Assert.True(line.TryClose());
        Assert.Equal(Added.Closed, line.Add("c"));
    }

    [Fact]
    public async Task A_batch_keeps_its_order_at_a_queue_when_too_many_gates_are_remembered()
    {
        var clock = new TestClock();
        await using var store = SqliteStore.Open(":memory:", clock);
        var gates = new Gates(store, new FuncStashOptions(), clock) { MaxRemembered = 1 };
        await gates.ChangeAsync(GateKind.Queue, "q", state => state with { Paused = true });
        // Others that make room for themselves, all the while.
        var others = Task.Run(() => Parallel.ForAsync(0, 3_000, async (i, _) => await gates.WakeAsync(GateKind.FlowKey, $"k{i}")));
        var order = new List<string>();
        while (!others.IsCompleted)
        {
            var batch = Enumerable.Range(0, 20).Select(i => MessageId.Create(clock.Now, i, (ulong)order.Count)).ToList();
            await Task.WhenAll(batch.Select(id => gates.RunAsync(GateKind.Queue, "q", new GateOperation.Join(
                new Candidate(id.Text, 0, Candidate.OrderOf(id, clock.Now), 0), announce: true, isNew: true, limits: null) { Last = true })));
            order.AddRange(batch.Select(id => id.Text));
            clock.Advance(-1);
        }
        await others;

        Assert.Equal(order, (await gates.WaitingAsync(GateKind.Queue, "q", order.Count + 1)).Select(c => c.Message));
    }
}
