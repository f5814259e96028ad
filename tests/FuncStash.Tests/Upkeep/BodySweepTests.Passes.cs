using System.Text;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
using FuncStash.Headers;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Runs;
using FuncStash.Schedules;
using FuncStash.Storage;
using FuncStash.Upkeep;
using Microsoft.Extensions.Logging.Abstractions;

namespace FuncStash.Tests.Upkeep;

// When a payload is looked at, and by whom.
public sealed partial class BodySweepTests
{
    [Fact]
    public async Task A_payload_is_looked_at_once_in_a_month_and_only_when_it_is_of_age()
    {
        await PublishAsync();
        _service.Time.Advance(BodySweep.Age - TimeSpan.FromMinutes(1));
        Assert.Equal(0, await ReadsOfSweepAsync());

        _service.Time.Advance(TimeSpan.FromMinutes(2));
        // Not among those that have ended, and then among those that live.
        Assert.Equal(2, await ReadsOfSweepAsync());

        await PublishAsync();
        _service.Time.Advance(s_day);
        Assert.Equal(2, await ReadsOfSweepAsync());
        for (var day = 2; day < 30; day++)
        {
            _service.Time.Advance(s_day);
            Assert.Equal(0, await ReadsOfSweepAsync());
        }

        _service.Time.Advance(2 * s_day);
        Assert.Equal(2 * 2, await ReadsOfSweepAsync());
        _service.Time.Advance(s_day);
        Assert.Equal(0, await ReadsOfSweepAsync());
    }

    [Fact]
    public async Task A_payload_goes_within_a_month_whose_row_was_removed_by_one_that_died_then()
    {
        var id = await PublishAsync();
        Assert.Equal(0, await SweepInADayAsync());
        await RemoveRowAsync(id);
        Assert.Equal(0, await SweepInADayAsync());
        Assert.Single(Store.BodyNames);

        _service.Time.Advance(30 * s_day);
        Assert.Equal(1, await SweepInADayAsync());

        Assert.Empty(Store.BodyNames);
    }

    [Fact]
    public async Task A_pass_that_is_cut_off_goes_on_in_another_process()
    {
        for (var i = 0; i < 5; i++)
        {
            await PublishAsync();
            await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));
        }
        _service.Time.Advance(s_day);
        var (reads, removed, more) = (Store.Gets, 0, true);
        for (var turn = 1; more; turn++)
        {
            // What comes of age during a pass is of the next one.
            _service.Time.Advance(TimeSpan.FromHours(7));
            await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));
            var result = await FinishAsync(Hasty().RunAsync());
            (removed, more) = (removed + result.Removed, result.More);
            Assert.Equal(turn < 6, more); // a page that is full has another behind it
        }

        Assert.Equal(5, removed);
        // Two for each of the messages; three for each of the others, twice; and the place at each turn.
        Assert.Equal((5 * 2) + (5 * 3 * 2) + 6, Store.Gets - reads);
        Assert.Equal(5 + 6, Store.BodyNames.Count);
        Assert.Equal(6, await SweepInADayAsync());
    }

    [Fact]
    public async Task Upkeep_sweeps_once_a_day()
    {
        await UpkeepAsync();
        await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));
        _service.Time.Advance(TimeSpan.FromHours(23));
        await UpkeepAsync();
        Assert.Single(Store.BodyNames);

        _service.Time.Advance(TimeSpan.FromHours(1));
        await UpkeepAsync();

        Assert.Empty(Store.BodyNames);
        Assert.Contains("Information: removed 1 payloads that nothing names", _service.Log.Lines);
    }

    [Fact]
    public async Task After_a_clock_that_was_far_ahead_all_are_looked_at_once_more()
    {
        await (BodyPlace.Start with { Since = _service.Now + (long)TimeSpan.FromDays(400).TotalMilliseconds }).WriteAsync(Store, default);
        await PutAsync(BodyName.New(_service.Get<MessageIds>().Next().Text));

        Assert.Equal(1, await SweepInADayAsync());
    }

    // A page of two is all that its turn is long enough for.
    private BodySweep Hasty() => new(
        Store, _service.Get<RunStore>(), _service.Get<ScheduleStore>(), _service.Get<DeadLetterStore>(), _service.Time,
        NullLogger<BodySweep>.Instance)
    {
        Turn = TimeSpan.Zero,
        Page = 2,
    };

    // Without that of its place.
    private async Task<int> ReadsOfSweepAsync()
    {
        var before = Store.Gets + Store.Queries;
        await SweepAsync();
        return Store.Gets + Store.Queries - before - 1;
    }
}
