using CsCheck;

namespace FuncStash.Tests.Schedules;

/// <summary>Schedules under random interleavings of storage calls and deaths, on SQLite.</summary>
public sealed class ScheduleInterleavings
{
    [Fact]
    public Task None_is_created_after_a_stop_was_acknowledged_and_none_twice() =>
        Gen.Select(ScheduleScene.Play, Gen.Int[0, 3], Gen.Int).SampleAsync(async (scenes, deaths, seed) =>
        {
            await using var play = new SchedulePlay(seed);
            await play.ScenesAsync(scenes, deaths);
        }, iter: TestSetting.Plays(400), threads: 1);

    [Fact]
    public Task Every_occurrence_is_published_once_whoever_dies() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 3], Gen.Int[0, 2], Gen.Int[0, 20], Gen.Int).SampleAsync(
            async (minutes, tickers, replacements, deaths, seed) =>
            {
                await using var play = new SchedulePlay(seed);
                await play.MinutesAsync(minutes, tickers, replacements, deaths);
            }, iter: TestSetting.Plays(300), threads: 1);
}
