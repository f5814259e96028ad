using CsCheck;
using FuncStash.Sqlite;

namespace FuncStash.Tests.Delivery;

/// <summary>
/// The order of a queue, rate, parallelism and deduplication under random interleavings of storage calls and deaths, on SQLite.
/// </summary>
public sealed class DeliveryInterleavings
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public Task Order_limits_and_deduplication_hold_and_every_message_is_delivered(bool partwise, bool hosted) =>
        Gen.Select(DeliveryScene.Play(8), DeliveryLimits.Any, Gen.Int[0, 5], Gen.Int).SampleAsync(async (scenes, limits, deaths, seed) =>
        {
            var clock = new TestClock();
            await using var store = SqliteStore.Open(":memory:", clock);
            await using var play = await DeliveryPlay.BeginAsync(clock, store, partwise, limits, seed, hosted);
            await play.ScenesAsync(scenes, deaths);
        }, iter: TestSetting.Plays(40), threads: 1);
}
