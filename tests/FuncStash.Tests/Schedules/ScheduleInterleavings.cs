using System.Globalization;
using System.Text;
using CsCheck;
using FuncStash.Messages;
using FuncStash.Schedules;
using FuncStash.Storage;
using FuncStash.UrlGroups;

namespace FuncStash.Tests.Schedules;

/// <summary>Tickers, and people who stop and start a schedule, all at once, any of whom may die at any storage call.</summary>
public sealed class ScheduleInterleavings
{
    private const string Id = "s", Group = "g";

    private enum Act
    {
        Tick,
        Pause,
        Resume,
        Delete,
        Replace,
        ChangeGroup,
    }

    /// <summary>What happens in one stretch of time: who comes, how much time passes first, how many calls are made.</summary>
    private sealed record Scene(int Seconds, Act[] Acts, int Calls);

    private static readonly Gen<Act> AnyAct = Gen.Frequency(
        (6, Gen.Const(Act.Tick)), (2, Gen.Const(Act.Pause)), (2, Gen.Const(Act.Resume)), (1, Gen.Const(Act.Delete)),
        (2, Gen.Const(Act.Replace)), (1, Gen.Const(Act.ChangeGroup)));

    private static readonly Gen<Scene[]> Play =
        Gen.Select(Gen.Int[0, 70], AnyAct.Array[1, 4], Gen.Int[0, 60], (seconds, acts, calls) => new Scene(seconds, acts, calls))
            .Array[1, 8];

    [Fact]
    public Task None_is_created_after_a_stop_was_acknowledged_and_none_twice() =>
        Gen.Select(Play, Gen.Int[0, 3], Gen.Int).SampleAsync(async (scenes, deaths, seed) =>
        {
            Stage? stage = null;
            await using var service = new Service(store => stage = new Stage(store, seed));
            var history = new History(stage!);
            await ChangeGroupAsync(service, 0);
            await ReplaceAsync(service, history);

            stage!.DeathsPerHundred = deaths;
            foreach (var scene in scenes)
            {
                service.Time.Advance(TimeSpan.FromSeconds(scene.Seconds));
                foreach (var act in scene.Acts)
                    stage.Enter(() => ActAsync(act, service, history));
                await stage.PlayAsync(scene.Calls);
            }
            await stage.PlayAsync();

            history.AssertNothingIsCreatedAfterAStop();
            history.AssertNothingIsCreatedTwice();
            await AssertSoundAsync(service);
        }, iter: 400, threads: 1);

    [Fact]
    public Task Every_occurrence_is_published_once_whoever_dies() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 3], Gen.Int[0, 20], Gen.Int).SampleAsync(async (minutes, tickers, deaths, seed) =>
        {
            Stage? stage = null;
            await using var service = new Service(store => stage = new Stage(store, seed));
            var history = new History(stage!);
            await ChangeGroupAsync(service, 0);
            await ReplaceAsync(service, history);
            var occurrences = new List<long>();
            for (var minute = 0; minute < minutes; minute++)
            {
                service.Time.Advance(TimeSpan.FromSeconds(30));
                occurrences.Add(service.Now);
                stage!.DeathsPerHundred = deaths;
                for (var i = 0; i < tickers; i++)
                    stage.Enter(() => ActAsync(Act.Tick, service, history));
                await stage.PlayAsync();
                stage.DeathsPerHundred = 0;
                service.Time.Advance(TimeSpan.FromSeconds(30));
                stage.Enter(() => ActAsync(Act.Tick, service, history));
                await stage.PlayAsync();
            }

            history.AssertNothingIsCreatedTwice();
            Assert.Equal(occurrences, (await service.MessagesAsync()).Select(m => m.Message.CreatedAt));
            await AssertSoundAsync(service);
        }, iter: 200, threads: 1);

    private static async Task ActAsync(Act act, Service service, History history)
    {
        switch (act)
        {
            case Act.Tick:
                await service.New<ScheduleTicker>().TickAsync(service.Time.GetUtcNow());
                break;
            case Act.Pause:
                await history.StopAsync(() => service.Get<Scheduler>().PauseAsync(Id).AsTask());
                break;
            case Act.Delete:
                await history.StopAsync(() => service.Get<Scheduler>().DeleteAsync(Id).AsTask());
                break;
            case Act.Resume:
                await history.StartAsync(_ => service.Get<Scheduler>().ResumeAsync(Id).AsTask(), replaces: false);
                break;
            case Act.Replace:
                await ReplaceAsync(service, history);
                break;
            case Act.ChangeGroup:
                await ChangeGroupAsync(service, Random.Shared.Next(3));
                break;
        }
    }

    private static Task ReplaceAsync(Service service, History history) => history.StartAsync(
        version => service.Get<Scheduler>().CreateAsync(Service.Request(Group, version.ToString(CultureInfo.InvariantCulture),
            ("Upstash-Cron", "* * * * *"), ("Upstash-Schedule-Id", Id))).AsTask(),
        replaces: true);

    private static async Task ChangeGroupAsync(Service service, int url) => await service.Get<UrlGroupStore>().ChangeAsync(
        Group, _ => new UrlGroup(Group, 0, 0, [new Endpoint(null, $"https://example.com/{url}")]));

    // The index has the schedule's next time and nothing else, and the schedule is due in the future after a last tick.
    private static async Task AssertSoundAsync(Service service)
    {
        service.Time.Advance(ScheduleTicker.ClaimPatience);
        for (var i = 0; i < 2; i++)
            Assert.Equal(0, (await service.New<ScheduleTicker>().TickAsync(service.Time.GetUtcNow())).Left);
        var schedule = await service.Get<ScheduleStore>().GetAsync(Id);
        var index = await service.Store.Tables.QueryAsync(
            ScheduleRows.Table, ScheduleRows.Partition(Id), RowRange.Prefix(ScheduleRows.Due), 10);
        Assert.Equal(
            schedule?.NextAt is { } next ? [ScheduleRows.DueKey(next, Id)] : [], index.Select(row => row.RowKey));
        Assert.Equal(schedule is { Paused: false }, schedule?.NextAt > service.Now);
    }

    /// <summary>What was begun, acknowledged and created, in the order in which it happened.</summary>
    private sealed class History
    {
        private readonly Lock _lock = new();
        private readonly List<Span> _stops = [], _starts = [];
        private readonly List<(int At, int Version, MessageId Id)> _created = [];
        private int _now;

        public History(Stage stage) => stage.Committed = commit =>
        {
            foreach (var write in commit.Writes.OfType<Write.Insert>().Where(_ => commit.Table == MessageRows.Table))
            {
                if (!write.RowKey.StartsWith(MessageRows.Live, StringComparison.Ordinal))
                    continue;
                var message = MessageRows.FromRow(write.Entity).Message;
                lock (_lock)
                    _created.Add((++_now, int.Parse(Encoding.UTF8.GetString(message.Body), CultureInfo.InvariantCulture), message.Id));
            }
        };

        /// <param name="Version">Of a creation or replacement; 0 for others.</param>
        private sealed record Span(int Version, int Begun)
        {
            public int Acknowledged { get; set; } = int.MaxValue;
        }

        public async Task StopAsync(Func<Task> stop) => await RunAsync(_stops, 0, stop);

        public async Task StartAsync(Func<int, Task> start, bool replaces)
        {
            int version;
            lock (_lock)
                version = replaces ? _starts.Count(s => s.Version > 0) + 1 : 0;
            await RunAsync(_starts, version, () => start(version));
        }

        private async Task RunAsync(List<Span> spans, int version, Func<Task> act)
        {
            Span span;
            lock (_lock)
                spans.Add(span = new Span(version, ++_now));
            await act();
            lock (_lock)
                span.Acknowledged = ++_now;
        }

        public void AssertNothingIsCreatedAfterAStop()
        {
            foreach (var (at, version, _) in _created)
            {
                // A start that overlaps the stop may have been the later one.
                Assert.DoesNotContain(_stops, stop => stop.Acknowledged < at
                    && !_starts.Exists(start => start.Acknowledged > stop.Begun && start.Begun < at));
                var mine = _starts.Find(start => start.Version == version)!;
                Assert.DoesNotContain(_starts, other => other.Version > 0 && other.Begun > mine.Acknowledged
                    && other.Acknowledged < at);
            }
        }

        public void AssertNothingIsCreatedTwice() =>
            Assert.Equal(_created.Count, _created.DistinctBy(c => (c.Version, c.Id.CreatedAt, c.Id)).Count());
    }
}
