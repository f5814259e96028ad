using FuncStash.Azure;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests;

public sealed class PollScheduleTests
{
    private readonly FakeTimeProvider time = new();
    private readonly PollSchedule schedule;

    public PollScheduleTests() => schedule = new PollSchedule(time);

    [Fact]
    public void The_interval_doubles_up_to_a_second_while_nothing_comes()
    {
        var waits = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            schedule.Empty(Asked());
            var turn = schedule.Take();
            waits.Add(turn.Wait.TotalMilliseconds);
            time.Advance(turn.Wait);
        }

        Assert.Equal([20, 40, 80, 160, 320, 640, 1000, 1000, 1000], waits);
    }

    [Fact]
    public void Only_one_of_several_receivers_asks_an_idle_queue()
    {
        schedule.Empty(Asked());

        time.Advance(PollSchedule.Shortest);

        Assert.True(schedule.Take().IsNow);
        Assert.False(schedule.Take().IsNow);
    }

    [Fact]
    public void A_slow_storage_is_asked_no_more_often_than_a_fast_one()
    {
        var asked = 0;
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromSeconds(3); passed += TimeSpan.FromMilliseconds(1))
        {
            // No answer comes.
            if (schedule.Take().IsNow)
                asked++;
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        // At once, after 20, 40, 80, 160, 320 and 640 ms, then after a second.
        Assert.Equal(8, asked);
    }

    [Fact]
    public void All_receivers_ask_a_busy_queue()
    {
        Asked();
        schedule.Found();

        Assert.True(schedule.Take().IsNow);
        Assert.True(schedule.Take().IsNow);
    }

    [Fact]
    public void A_queue_that_runs_dry_is_asked_again_after_the_shortest_interval()
    {
        Asked();
        schedule.Found();

        schedule.Empty(Asked());

        Assert.Equal(PollSchedule.Shortest, schedule.Take().Wait);
    }

    [Fact]
    public void A_send_ends_the_wait()
    {
        schedule.Empty(Asked());
        var waiting = schedule.Take();
        Assert.False(waiting.IsNow);

        schedule.Sent();

        Assert.True(waiting.Signal.IsCompleted);
        Assert.True(schedule.Take().IsNow);
    }

    [Fact]
    public void A_send_during_an_empty_receive_is_not_slept_over()
    {
        Asked();
        schedule.Found();
        var turn = Asked();

        schedule.Sent();
        schedule.Empty(turn);

        Assert.True(schedule.Take().IsNow);
    }

    private PollSchedule.Turn Asked()
    {
        var turn = schedule.Take();
        Assert.True(turn.IsNow);
        return turn;
    }
}
