using System.Globalization;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.Logs;
using FuncStash.Messages;
using FuncStash.Publishing;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Testing;

/// <summary>
/// Several processes that publish and deliver on one store, all at once, any of which may die at any storage call: the
/// whole service, with a destination over HTTP, held against a <see cref="DeliveryHistory"/>.
/// </summary>
internal sealed class DeliveryPlay : IAsyncDisposable
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(90), s_lease = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock;
    private readonly DeliveryLimits _limits;
    private readonly DeliveryHistory _history;
    private readonly Stage _stage;
    private readonly IStore _store;
    private readonly List<Process> _processes = [];
    private PlayDestination _destination = null!;

    private DeliveryPlay(TestClock clock, IStore store, bool partwise, DeliveryLimits limits, int seed)
    {
        (_clock, _limits) = (clock, limits);
        _history = new DeliveryHistory(limits, s_window, TimeSpan.FromSeconds(2));
        _stage = new Stage(store, seed) { Committed = _history.Note };
        _store = partwise ? new PartwiseStore(_stage) : _stage;
    }

    public DeliveryHistory History => _history;

    /// <param name="clock">The clock of the processes and of the store's queues.</param>
    /// <param name="store">The store, which must be empty.</param>
    /// <param name="partwise">Whether commits are done in parts, as Azure storage does them.</param>
    /// <param name="limits">Of the flow-control key.</param>
    /// <param name="seed">Decides the order of the storage calls, and who dies at which.</param>
    public static async Task<DeliveryPlay> BeginAsync(TestClock clock, IStore store, bool partwise, DeliveryLimits limits, int seed)
    {
        var play = new DeliveryPlay(clock, store, partwise, limits, seed);
        play._destination = await PlayDestination.StartAsync(play.AnswerAsync);
        return play;
    }

    public async Task ScenesAsync(IReadOnlyList<DeliveryScene> scenes, int deathsPerHundred)
    {
        _stage.DeathsPerHundred = deathsPerHundred;
        foreach (var scene in scenes)
        {
            // Two scenes are never at the same millisecond, in which ids of two processes have no order.
            _clock.Advance((scene.Seconds * 1000) + 1);
            foreach (var part in scene.Parts)
                Enter(process => ActAsync(process, part));
            await _stage.PlayAsync(scene.Calls);
            _clock.Advance(scene.Ms);
            await _stage.PlayAsync();
            foreach (var process in _processes.Where(process => !process.IsFree))
                _history.NoteOrphans(process.Holding);
            _history.AssertNothingWentWrong();
        }

        _stage.DeathsPerHundred = 0;
        for (var round = 0; !_history.AllHaveEnded; round++)
        {
            Assert.True(round < 60, $"something is stuck: {_history.Unended}");
            // The patience of the sweep doubles with each time that a message was sent on its way again.
            _clock.Advance(round >= 20 ? 1_200_000 : round % 2 == 0 ? 5_000 : (int)s_lease.TotalMilliseconds);
            var worked = 1;
            while (worked > 0)
            {
                worked = 0;
                for (var i = 0; i < 4; i++)
                    Enter(async process => Interlocked.Add(ref worked, await WorkAsync(process, 1)));
                await _stage.PlayAsync();
            }
            Enter(SweepAsync);
            await _stage.PlayAsync();
            _history.AssertNothingWentWrong();
        }
        _history.AssertAllIsWell();
        await AssertLogIsFoundAsync();
    }

    // Whoever died: the log of one message is what the whole log has of it.
    private async Task AssertLogIsFoundAsync()
    {
        var reader = Start("reader");
        _processes.Add(reader);
        var all = (await reader.Get<LogReader>().ListAsync(new() { Count = 10_000 })).Entries.ToLookup(entry => entry.Message.Id, entry => entry.Event.Position);
        foreach (var events in all)
        {
            foreach (var earliestFirst in new[] { false, true })
            {
                var page = await reader.Get<LogReader>().ListAsync(new() { MessageIds = [events.Key], EarliestFirst = earliestFirst });
                Assert.Equal(earliestFirst ? events.Reverse() : events, page.Entries.Select(entry => entry.Event.Position));
            }
            var stored = (await reader.Get<MessageStore>().GetAsync(events.Key))!;
            Assert.Equal(stored.Progress.Events, events.Count());
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.Services.DisposeAsync();
        await _destination.DisposeAsync();
    }

    private sealed record Process(string Name, ServiceProvider Services)
    {
        /// <summary>What it does now.</summary>
        public object Actor { get; set; } = null!;

        public bool IsFree { get; set; } = true;

        /// <summary>The messages it works on.</summary>
        public HashSet<string> Holding { get; } = new(StringComparer.Ordinal);

        public T Get<T>() where T : notnull => Services.GetRequiredService<T>();
    }

    // A process does one thing at a time, so that it can die of it; one that died does not come back.
    private void Enter(Func<Process, Task> act)
    {
        var process = _processes.Find(p => p.IsFree);
        if (process is null)
            _processes.Add(process = Start($"P{_processes.Count}"));
        process.IsFree = false;
        process.Actor = _stage.Enter(async () =>
        {
            await act(process);
            process.IsFree = true;
        });
    }

    private Process Start(string name) => new(name, new ServiceCollection()
        .AddSingleton<TimeProvider>(_clock)
        .AddSingleton(_store)
        .AddSingleton<IDeliverySchedule, QueueSchedule>()
        .AddSingleton<HostLookup>(PublicNames.LookUpAsync)
        .AddLogging()
        // The region is what a destination learns of the process.
        .AddFuncStash(new FuncStashOptions { Region = name, DeduplicationWindow = s_window, SweepAfter = TimeSpan.FromMinutes(2) })
        .BuildServiceProvider());

    private Task ActAsync(Process process, DeliveryPart part) => part.Act switch
    {
        DeliveryAct.Publish => PublishAsync(process, part.Number),
        DeliveryAct.Work => WorkAsync(process, 1 + (part.Number % 2)),
        _ => SweepAsync(process),
    };

    private Task PublishAsync(Process process, int number)
    {
        var (isQueued, hasKey, fails) = (number % 3 == 0, number / 3 % 4 > 0, number / 12 % 3 == 0);
        var deduplicationId = number / 36 % 3 == 0 ? string.Create(CultureInfo.InvariantCulture, $"d{number / 108 % 2}") : null;
        var headers = new List<(string, string)> { ("Upstash-Retry-Delay", "1000") };
        if (hasKey)
            headers.AddRange([("Upstash-Flow-Control-Key", DeliveryHistory.Key), ("Upstash-Flow-Control-Value", _limits.Value())]);
        if (deduplicationId is not null)
            headers.Add(("Upstash-Deduplication-Id", deduplicationId));
        var request = Service.Request(_destination.Url + (fails ? "/fails" : "/"), deduplicationId ?? "", [.. headers])
            with { QueueName = isQueued ? DeliveryHistory.Queue : null };
        return _history.PublishAsync(deduplicationId, async () =>
            (await process.Get<Publisher>().PublishAsync(request)).Messages[0].Id);
    }

    private static async Task<int> WorkAsync(Process process, int most)
    {
        var leases = await process.Get<IStore>().Queues.ReceiveAsync(WorkItem.Queue, most, s_lease, TimeSpan.Zero);
        foreach (var lease in leases)
        {
            if (DeliveryTicket.TryParse(lease.Text, out var ticket))
                process.Holding.Add(ticket.Id.Text);
        }
        foreach (var lease in leases)
            await process.Get<DeliveryService>().RunAsync(lease.Text, lease);
        process.Holding.Clear();
        return leases.Count;
    }

    private static async Task SweepAsync(Process process)
    {
        await process.Get<GateSweep>().RunAsync();
        await process.Get<Sweep>().RunAsync();
    }

    private async Task<int> AnswerAsync(PlayArrival arrival)
    {
        _history.Arrive(arrival);
        await _stage.PauseAsync(_processes.Find(p => p.Name == arrival.Worker)!.Actor);
        _history.Leave(arrival);
        return arrival.Path == "/fails" && arrival.Retried == 0 ? 500 : 200;
    }
}
