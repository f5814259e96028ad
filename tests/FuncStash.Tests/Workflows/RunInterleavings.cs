using CsCheck;
using FuncStash.Sqlite;

namespace FuncStash.Tests.Workflows;

/// <summary>
/// Random workflows under random interleavings of storage calls and deaths: each run ends with what its workflow returns; the
/// history that its endpoint sees always ends with the step that is delivered, and never changes behind it.
/// </summary>
public sealed class RunInterleavings
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Runs_end_as_their_workflows_do_and_histories_only_grow(bool partwise) =>
        Gen.Select(FlowScene.Play, RandomFlow.Any.Array[1, 4], Gen.Int[0, 4], Gen.Int).SampleAsync(async (scenes, flows, deaths, seed) =>
        {
            var clock = new TestClock();
            await using var store = SqliteStore.Open(":memory:", clock);
            await using var play = await FlowPlay.BeginAsync(clock, store, partwise, flows, seed);
            await play.ScenesAsync(scenes, deaths);
        }, iter: TestSetting.Plays(40), threads: 1);
}
