using System.Globalization;
using FuncStash.Schedules;
using FuncStash.Storage;
using FuncStash.UrlGroups;

namespace FuncStash.Testing;

/// <summary>
/// Tickers, and people who stop and start a schedule, all at once, any of whom may die at any storage call. Looks whether
/// each occurrence is published once, and none after a stop was acknowledged.
/// </summary>
internal sealed class SchedulePlay : IAsyncDisposable
{
    private const string Id = "s", Group = "g";

    private readonly Stage _stage;
    private readonly Service _service;
    private readonly ScheduleHistory _history;

    /// <param name="seed">Decides the order of the storage calls, and who dies at which.</param>
    /// <param name="store">The store, which must be empty; null for one in memory.</param>
    public SchedulePlay(int seed, IStore? store = null)
    {
        Stage? stage = null;
        _service = new Service(inner => stage = new Stage(inner, seed), store: store);
        _stage = stage!;
        _history = new ScheduleHistory(_stage);
    }

    /// <summary>Whatever happens in whatever order: nothing is created after a stop was acknowledged, and nothing twice.</summary>
    public async Task ScenesAsync(IReadOnlyList<ScheduleScene> scenes, int deathsPerHundred)
    {
        await ChangeGroupAsync(0);
        await ReplaceAsync();

        _stage.DeathsPerHundred = deathsPerHundred;
        foreach (var scene in scenes)
        {
            _service.Time.Advance(TimeSpan.FromSeconds(scene.Seconds));
            foreach (var act in scene.Acts)
                _stage.Enter(() => ActAsync(act));
            await _stage.PlayAsync(scene.Calls);
        }
        await _stage.PlayAsync();

        _history.AssertNothingIsCreatedAfterAStop();
        _history.AssertNothingIsCreatedTwice();
        await AssertSoundAsync();
    }

    /// <summary>Every minute has its message, whoever dies, and however often the schedule is created again meanwhile.</summary>
    public async Task MinutesAsync(int minutes, int tickers, int replacements, int deathsPerHundred)
    {
        await ChangeGroupAsync(0);
        await ReplaceAsync();
        var occurrences = new List<long>();
        for (var minute = 0; minute < minutes; minute++)
        {
            _service.Time.Advance(TimeSpan.FromSeconds(30));
            occurrences.Add(_service.Now);
            _stage.DeathsPerHundred = deathsPerHundred;
            for (var i = 0; i < tickers; i++)
                _stage.Enter(() => ActAsync(ScheduleAct.Tick));
            for (var i = 0; i < replacements; i++)
                _stage.Enter(ReplaceAsync);
            await _stage.PlayAsync();
            _stage.DeathsPerHundred = 0;
            _service.Time.Advance(TimeSpan.FromSeconds(30));
            _stage.Enter(() => ActAsync(ScheduleAct.Tick));
            await _stage.PlayAsync();
        }

        _history.AssertNothingIsCreatedTwice();
        Assert.Equal(occurrences, (await _service.MessagesAsync()).Select(m => m.Message.CreatedAt));
        await AssertSoundAsync();
    }

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    private async Task ActAsync(ScheduleAct act)
    {
        var scheduler = _service.Get<Scheduler>();
        switch (act)
        {
            case ScheduleAct.Tick:
                await _service.New<ScheduleTicker>().TickAsync(_service.Time.GetUtcNow());
                break;
            case ScheduleAct.Pause:
                await _history.PauseAsync(() => scheduler.PauseAsync(Id).AsTask());
                break;
            case ScheduleAct.Delete:
                await _history.DeleteAsync(() => scheduler.DeleteAsync(Id).AsTask());
                break;
            case ScheduleAct.Resume:
                await _history.ResumeAsync(() => scheduler.ResumeAsync(Id).AsTask());
                break;
            case ScheduleAct.Replace:
                await ReplaceAsync();
                break;
            case ScheduleAct.ChangeGroup:
                await ChangeGroupAsync(_stage.Next(3));
                break;
        }
    }

    private Task ReplaceAsync() => _history.ReplaceAsync(
        version => _service.Get<Scheduler>().CreateAsync(Service.Request(Group, version.ToString(CultureInfo.InvariantCulture),
            ("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", Id))).AsTask());

    private async Task ChangeGroupAsync(int url) => await _service.Get<UrlGroupStore>().ChangeAsync(
        Group, _ => new UrlGroup(Group, 0, 0, [new Endpoint(null, $"https://example.com/{url}")]));

    // The index has the schedule's next time and nothing else, and the schedule is due in the future after a last tick.
    private async Task AssertSoundAsync()
    {
        _service.Time.Advance(ScheduleTicker.ClaimPatience);
        for (var i = 0; i < 2; i++)
            Assert.Equal(0, (await _service.New<ScheduleTicker>().TickAsync(_service.Time.GetUtcNow())).Left);
        var schedule = await _service.Get<ScheduleStore>().GetAsync(Id);
        var index = await _service.Store.Tables.QueryAsync(
            ScheduleRows.Table, ScheduleRows.Partition(Id), RowRange.Prefix(ScheduleRows.Due), 10);
        Assert.Equal(
            schedule?.NextAt is { } next ? [ScheduleRows.DueKey(next, Id)] : [], index.Select(row => row.RowKey));
        Assert.Equal(schedule is { Paused: false }, schedule?.NextAt > _service.Now);
    }
}
