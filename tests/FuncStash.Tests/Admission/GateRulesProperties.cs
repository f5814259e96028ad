using CsCheck;
using FuncStash.Admission;

namespace FuncStash.Tests.Admission;

/// <summary>The pure rules of gates, on random states.</summary>
public sealed class GateRulesProperties
{
    private const long Start = 1_767_600_000_000;

    private static readonly Gen<GateState> s_states = Gen.Select(
        Limit(20), Limit(20), Gen.Int[1, 5], Gen.Int[0, 25], Gen.Int[0, 25], Gen.Int[0, 10], Gen.Bool,
        Gen.Long[0, 8000],
        (parallelism, rate, period, count, inside, waiting, paused, age) => new GateState
        {
            Parallelism = parallelism,
            Rate = rate,
            Period = period,
            RateCount = count,
            PeriodStart = Start - age,
            Paused = paused,
            Waiting = waiting,
            Inside = [.. Enumerable.Range(0, inside).Select(i => new GateSlot($"in{i}", 0, 0))],
        });

    private static Gen<int?> Limit(int most) => Gen.Int[0, most].Select(n => n == 0 ? (int?)null : n);

    private static Candidate[] Some(int count, long at) =>
        [.. Enumerable.Range(0, count).Select(i => new Candidate($"m{at}-{i}", 0, $"{at}-{i}", 0))];

    [Fact]
    public void What_fits_in_breaks_no_limit() => s_states.Sample(state =>
    {
        var capacity = GateRules.Capacity(state, Start);
        var after = GateRules.Admit(state, Some(Math.Min(capacity, 100), Start), Start, Start + 1);
        Assert.True(capacity >= 0);
        if (capacity == 0)
            return;
        Assert.False(state.Paused);
        Assert.True(after.Parallelism is not { } places || after.Inside.Count <= places);
        Assert.True(after.Rate is not { } rate || after.CountAt(Start) <= rate);
    });

    [Fact]
    public void No_period_admits_more_than_the_rate_and_no_time_is_lost()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 3], Gen.Long[0, 900].Array[1, 60]).Sample((rate, period, pauses) =>
        {
            var (state, now, times) = (new GateState { Rate = rate, Period = period }, Start, new List<long>());
            foreach (var pause in pauses)
            {
                now += pause;
                var admitted = Some(GateRules.Capacity(state, now), now);
                state = GateRules.Admit(state, admitted, now, now);
                times.AddRange(admitted.Select(_ => now));
            }
            // Periods begin with an admission and are over after their length: replay them.
            for (var i = 0; i < times.Count;)
            {
                var end = times[i] + (period * 1000);
                var count = times.Skip(i).TakeWhile(t => t < end).Count();
                Assert.InRange(count, 1, rate);
                i += count;
            }
        });
    }

    [Fact]
    public void The_next_look_is_the_first_moment_at_which_someone_can_go() => s_states.Sample(state =>
    {
        var look = GateRules.NextLook(state, Start);
        if (look is { } at)
        {
            Assert.Equal(0, GateRules.Capacity(state, at - 1));
            Assert.True(GateRules.Capacity(state, at) > 0);
            Assert.True(at > Start);
        }
        else
        {
            // Nobody waits, someone can go now, or time alone changes nothing.
            Assert.True(state.Waiting == 0 || GateRules.Capacity(state, Start) > 0
                || GateRules.Capacity(state, Start + 10_000_000) == 0);
        }
    });

    [Fact]
    public void Pins_hold_until_they_are_taken_away()
    {
        Gen.Select(s_states, Gen.Bool, Gen.Bool, Limit(9), Limit(9), Gen.Int[1, 9]).Sample(
            (state, pinnedRate, pinnedParallelism, rate, parallelism, period) =>
            {
                state = state with { PinnedRate = pinnedRate, PinnedParallelism = pinnedParallelism };
                var after = GateRules.Configure(state, rate, parallelism, period, Start);
                Assert.Equal(pinnedRate ? (state.Rate, state.Period) : (rate, period), (after.Rate, after.Period));
                Assert.Equal(pinnedParallelism ? state.Parallelism : parallelism, after.Parallelism);
            });
    }

    [Fact]
    public void A_period_that_has_ended_does_not_come_back_with_a_longer_one()
    {
        Gen.Select(s_states, Gen.Int[1, 9], Gen.Int[1, 1_000_000]).Sample((state, rate, period) =>
        {
            state = state with { PinnedRate = false };
            var hasEnded = Start >= state.PeriodEnd;
            var after = GateRules.Configure(state, rate, null, period, Start);
            if (hasEnded)
                Assert.True(after.CountAt(Start) == 0 && Start >= after.PeriodEnd);
            else
                Assert.Equal((state.RateCount, state.PeriodStart), (after.RateCount, after.PeriodStart));
        });
    }

    [Fact]
    public void A_place_is_held_until_its_last_holder_is_gone()
    {
        var state = GateRules.Admit(new GateState(), Some(1, 1), Start, Start);
        var place = state.Inside[0].Message;

        state = GateRules.Pass(state, place, 0, place, ["a", "b"]);
        Assert.Equal(["a", "b"], Assert.Single(state.Inside).HeldBy());
        state = GateRules.Pass(state, place, 0, "a", []);
        state = GateRules.Pass(state, place, 0, "a", []);
        Assert.Equal(["b"], Assert.Single(state.Inside).HeldBy());
        Assert.Same(state, GateRules.Pass(state, place, 1, "b", []));
        Assert.Same(state, GateRules.Pass(state, place, 0, "c", []));

        Assert.Empty(GateRules.Pass(state, place, 0, "b", []).Inside);
    }

    [Fact]
    public void Resetting_the_rate_begins_a_period_with_nothing_counted() => s_states.Sample(state =>
    {
        var after = GateRules.ResetRate(state, Start);
        Assert.Equal((0, Start), (after.CountAt(Start), after.PeriodStart));
    });

    [Fact]
    public void A_state_has_room_in_its_row_whatever_the_limits()
    {
        var full = new GateState
        {
            Inside = [.. Enumerable.Range(0, GateState.MaxInside / 2).Select(i => new GateSlot($"msg_{i:D22}", 1000, Start)
            {
                Holders = [$"msg_{i:D22}", $"msg_{i:D22}"],
            })],
        };

        Assert.Equal(0, GateRules.Capacity(full, Start));
        Assert.True(GateRows.ToRow("p", full).Bytes("State")!.Length < Storage.Entity.MaxBytes / 2);
    }
}
