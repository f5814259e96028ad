using CsCheck;
using FuncStash.Azure;

namespace FuncStash.Storage.Tests.Azure;

/// <summary>Schedules under random interleavings of storage calls and deaths, on Azure storage.</summary>
public sealed class ScheduleInterleavings(AzuriteAccount account)
{
    [Fact]
    public Task None_is_created_after_a_stop_was_acknowledged_and_none_twice() =>
        Gen.Select(ScheduleScene.Play, Gen.Int[0, 3], Gen.Int).SampleAsync(async (scenes, deaths, seed) =>
        {
            using var store = new AzureStore(account.Options());
            await using var play = new SchedulePlay(seed, store);
            await play.ScenesAsync(scenes, deaths);
        }, iter: TestSetting.Plays(100), threads: 1);

    [Fact]
    public Task Every_occurrence_is_published_once_whoever_dies() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[0, 2], Gen.Int[0, 20], Gen.Int).SampleAsync(
            async (minutes, tickers, replacements, deaths, seed) =>
            {
                using var store = new AzureStore(account.Options());
                await using var play = new SchedulePlay(seed, store);
                await play.MinutesAsync(minutes, tickers, replacements, deaths);
            }, iter: TestSetting.Plays(60), threads: 1);
}
