using FuncStash.Azure;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests;

public sealed class PollScheduleTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly PollSchedule _schedule;

    public PollScheduleTests() => _schedule = new PollSchedule(_time);

    [Fact]
    public void The_interval_doubles_up_to_a_second_while_nothing_comes()
    {
        var waits = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            _schedule.Empty(Asked());
            var turn = _schedule.Take();
            waits.Add(turn.Wait.TotalMilliseconds);
            _time.Advance(turn.Wait);
        }

        Assert.Equal([20, 40, 80, 160, 320, 640, 1000, 1000, 1000], waits);
    }

    [Fact]
    public void Queues_that_share_the_second_are_each_asked_so_many_times_more_seldom()
    {
        var schedule = new PollSchedule(_time, several: 3);
        var wait = TimeSpan.Zero;
        for (var i = 0; i < 12; i++)
        {
            schedule.Empty(schedule.Take());
            wait = schedule.Take().Wait;
            _time.Advance(wait);
        }

        Assert.Equal(3 * PollSchedule.Longest, wait);
    }

    [Fact]
    public void Only_one_of_several_receivers_asks_an_idle_queue()
    {
        _schedule.Empty(Asked());

        _time.Advance(PollSchedule.Shortest);

        Assert.True(_schedule.Take().IsNow);
        Assert.False(_schedule.Take().IsNow);
    }

    [Fact]
    public void A_slow_storage_is_asked_no_more_often_than_a_fast_one()
    {
        var asked = 0;
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromSeconds(3); passed += TimeSpan.FromMilliseconds(1))
        {
            // No answer comes.
            if (_schedule.Take().IsNow)
                asked++;
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        // At once, after 20, 40, 80, 160, 320 and 640 ms, then after a second.
        Assert.Equal(8, asked);
    }

    [Fact]
    public void All_receivers_ask_a_busy_queue()
    {
        Asked();
        _schedule.Found();

        Assert.True(_schedule.Take().IsNow);
        Assert.True(_schedule.Take().IsNow);
    }

    [Fact]
    public void A_queue_that_runs_dry_is_asked_again_after_the_shortest_interval()
    {
        Asked();
        _schedule.Found();

        _schedule.Empty(Asked());

        Assert.Equal(PollSchedule.Shortest, _schedule.Take().Wait);
    }

    [Fact]
    public void A_send_ends_the_wait()
    {
        _schedule.Empty(Asked());
        var waiting = _schedule.Take();
        Assert.False(waiting.IsNow);

        _schedule.Sent();

        Assert.True(waiting.Signal.IsCompleted);
        Assert.True(_schedule.Take().IsNow);
    }

    [Fact]
    public void A_send_during_an_empty_receive_is_not_slept_over()
    {
        Asked();
        _schedule.Found();
        var turn = Asked();

        _schedule.Sent();
        _schedule.Empty(turn);

        Assert.True(_schedule.Take().IsNow);
    }

    private PollSchedule.Turn Asked()
    {
        var turn = _schedule.Take();
        Assert.True(turn.IsNow);
        return turn;
    }
}
