using CsCheck;
using FuncStash.Azure;
using FuncStash.Sqlite;

namespace FuncStash.Storage.Tests.Azure;

/// <summary>
/// The order of a queue, rate, parallelism and deduplication under random interleavings of storage calls and deaths, on
/// Azure tables. The work queue is one in memory, because it has to keep the test's time.
/// </summary>
public sealed class DeliveryInterleavings(AzuriteAccount account)
{
    [Fact]
    public Task Order_limits_and_deduplication_hold_and_every_message_is_delivered() =>
        Gen.Select(DeliveryScene.Play(8), DeliveryLimits.Any, Gen.Int[0, 5], Gen.Int).SampleAsync(async (scenes, limits, deaths, seed) =>
        {
            var clock = new TestClock();
            using var azure = new AzureStore(account.Options());
            await using var queues = SqliteStore.Open(":memory:", clock);
            await using var play = await DeliveryPlay.BeginAsync(clock, new MixedStore(azure, queues.Queues), partwise: true, limits, seed);
            await play.ScenesAsync(scenes, deaths);
        }, iter: TestSetting.Plays(16), threads: 1);
}
