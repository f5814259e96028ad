using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FuncStash.Cancelling;
using FuncStash.DeadLetters;
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
/// <remarks>
/// Their clocks differ by seconds, and those of some that only publish by an hour. Some payloads are too big for a row, and some
/// of those are lost; some attempts take long, and what is stored of attempts now and then fails to be. On a host that holds the
/// work queue's messages itself, as Functions do, some wait for minutes, in buckets that are woken by upkeep.
/// </remarks>
internal sealed class DeliveryPlay : IAsyncDisposable
{
    private const int FarMs = 3_600_000;

    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(90), s_lease = TimeSpan.FromMinutes(1);

    // By how many milliseconds the clocks of processes are wrong, one after the other.
    private static readonly int[] s_skews = [0, 2000, -2000, 40, -700];

    private readonly TestClock _clock;
    private readonly DeliveryLimits _limits;
    private readonly DeliveryHistory _history;
    private readonly Stage _stage;
    private readonly IStore _store;
    private readonly bool _hosted;
    private readonly List<Process> _processes = [];
    private PlayDestination _destination = null!;
    private int _published;

    private DeliveryPlay(TestClock clock, IStore store, bool partwise, DeliveryLimits limits, int seed, bool hosted)
    {
        (_clock, _limits, _hosted) = (clock, limits, hosted);
        _history = new DeliveryHistory(limits, s_window, TimeSpan.FromSeconds(2 + 4));
        _stage = new Stage(store, seed) { Committed = _history.Note };
        _stage.Faults = commit => IsOfAttempt(commit) && _stage.Next(100) < 20 ? (Fault)(1 + (_stage.Next(2) * 2)) : Fault.None;
        _store = partwise ? new PartwiseStore(_stage) : _stage;
    }

    public DeliveryHistory History => _history;

    /// <param name="clock">The clock of the processes and of the store's queues.</param>
    /// <param name="store">The store, which must be empty.</param>
    /// <param name="partwise">Whether commits are done in parts, as Azure storage does them.</param>
    /// <param name="limits">Of the flow-control key.</param>
    /// <param name="seed">Decides the order of the storage calls, and who dies at which.</param>
    /// <param name="hosted">Whether the host holds the messages of the work queue.</param>
    public static async Task<DeliveryPlay> BeginAsync(
        TestClock clock, IStore store, bool partwise, DeliveryLimits limits, int seed, bool hosted = false)
    {
        var play = new DeliveryPlay(clock, store, partwise, limits, seed, hosted);
        play._destination = await PlayDestination.StartAsync(play.AnswerAsync);
        return play;
    }

    public async Task ScenesAsync(IReadOnlyList<DeliveryScene> scenes, int deathsPerHundred)
    {
        _stage.DeathsPerHundred = deathsPerHundred;
        foreach (var scene in scenes)
        {
            _clock.Advance(scene.Seconds * 1000);
            foreach (var part in scene.Parts)
                Enter(process => ActAsync(process, part), isFar: part.Act == DeliveryAct.Publish && part.Number % 7 == 0);
            await _stage.PlayAsync(scene.Calls);
            _clock.Advance(scene.Ms);
            await _stage.PlayAsync();
            foreach (var process in _processes.Where(process => !process.IsFree).ToList())
                _history.NoteOrphans(process.Holding);
            _history.AssertNothingWentWrong();
        }

        _stage.DeathsPerHundred = 0;
        for (var round = 0; !_history.AllHaveEnded; round++)
        {
            Assert.True(round < 60, $"something is stuck: {_history.Unended}");
            // The patience of the sweep doubles with each time that a message was sent on its way again.
            _clock.Advance(round >= 20 ? 1_200_000 : round % 2 == 0 ? 5_000 : (int)s_lease.TotalMilliseconds);
            await WorkOffAsync();
        }
        // What belongs to the end of a message whose worker died over it, once that one's lease has run out.
        _clock.Advance((int)s_lease.TotalMilliseconds);
        await WorkOffAsync();
        _history.AssertAllIsWell();
        await AssertLogIsFoundAsync();
    }

    private async Task WorkOffAsync()
    {
        var worked = 1;
        for (var round = 0; worked > 0; round++)
        {
            Assert.True(round < 10_000, "there is always more to do");
            worked = 0;
            for (var i = 0; i < 4; i++)
                Enter(async process => Interlocked.Add(ref worked, await WorkAsync(process, 1)));
            await _stage.PlayAsync();
        }
        Enter(SweepAsync);
        await _stage.PlayAsync();
        _history.AssertNothingWentWrong();
    }

    // Whoever died: the log of one message is what the whole log has of it.
    private async Task AssertLogIsFoundAsync()
    {
        var reader = Start("reader", new PlayClock(_clock, 0));
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
            if (stored.Progress.DlqId is { } letter)
                Assert.NotNull(await reader.Get<DeadLetterStore>().GetAsync(DlqId.Parse(letter)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.Services.DisposeAsync();
        await _destination.DisposeAsync();
    }

    private sealed record Process(string Name, PlayClock Clock, bool IsFar, ServiceProvider Services)
    {
        /// <summary>What it does now.</summary>
        public object Actor { get; set; } = null!;

        public bool IsFree { get; set; } = true;

        /// <summary>The messages it works on.</summary>
        public HashSet<string> Holding { get; } = new(StringComparer.Ordinal);

        public T Get<T>() where T : notnull => Services.GetRequiredService<T>();
    }

    // A process does one thing at a time, so that it can die of it; one that died does not come back.
    private void Enter(Func<Process, Task> act, bool isFar = false)
    {
        var process = _processes.Find(p => p.IsFree && p.IsFar == isFar);
        if (process is null)
        {
            var number = _processes.Count;
            var skew = !isFar ? s_skews[number % s_skews.Length] : number % 2 == 0 ? FarMs : -FarMs;
            _processes.Add(process = Start($"P{number}", new PlayClock(_clock, skew), isFar));
        }
        process.IsFree = false;
        process.Actor = _stage.Enter(async () =>
        {
            await act(process);
            process.IsFree = true;
        });
    }

    private Process Start(string name, PlayClock clock, bool isFar = false) => new(name, clock, isFar, new ServiceCollection()
        .AddSingleton<TimeProvider>(clock)
        .AddSingleton(_store)
        .AddSingleton(typeof(IDeliverySchedule), _hosted ? typeof(BucketSchedule) : typeof(QueueSchedule))
        .AddSingleton<HostLookup>(PublicNames.LookUpAsync)
        .AddLogging()
        // The region is what a destination learns of the process.
        .AddFuncStash(new FuncStashOptions { Region = name, DeduplicationWindow = s_window, SweepAfter = TimeSpan.FromMinutes(2) })
        .BuildServiceProvider());

    private Task ActAsync(Process process, DeliveryPart part) => part.Act switch
    {
        DeliveryAct.Publish => PublishAsync(process, part.Number),
        DeliveryAct.Work => WorkAsync(process, 1 + (part.Number % 2)),
        DeliveryAct.Cancel => _history.CancelAsync(part.Number, id => process.Get<Cancellation>().CancelAsync(id).AsTask()),
        _ => SweepAsync(process),
    };

    private Task PublishAsync(Process process, int number)
    {
        var (isQueued, hasKey, fails) = (number % 3 == 0, number / 3 % 4 > 0, number / 12 % 3 == 0 ? 1 + (number / 62_208 % 2) : 0);
        var deduplicationId = number / 36 % 3 == 0 ? string.Create(CultureInfo.InvariantCulture, $"d{number / 108 % 2}") : null;
        var (isBig, isSlow, isLost, hasCallbacks) = (number / 216 % 4 == 0, number / 864 % 3 == 0, number / 2592 % 8 == 0, number / 20_736 % 3 == 0);
        // What is counted in time cannot be held by a clock that is an hour off.
        if (process.IsFar)
            (hasKey, deduplicationId) = (false, null);
        var waits = _hosted && number / 2592 % 3 == 0;
        var headers = new List<(string, string)> { ("Upstash-Retry-Delay", waits ? "180000" : "1000") };
        // Not of those whose order is watched.
        if (waits && !isQueued && number / 7776 % 2 == 0)
            headers.Add(("Upstash-Delay", "150s"));
        if (hasKey)
            headers.AddRange([("Upstash-Flow-Control-Key", DeliveryHistory.Key), ("Upstash-Flow-Control-Value", _limits.Value())]);
        if (deduplicationId is not null)
            headers.AddRange([("Upstash-Deduplication-Id", deduplicationId), ("Upstash-Label", deduplicationId)]);
        if (hasCallbacks)
            headers.AddRange([("Upstash-Callback", _destination.Url + "/callback"), ("Upstash-Failure-Callback", _destination.Url + "/failed")]);
        var body = Interlocked.Increment(ref _published).ToString(CultureInfo.InvariantCulture).PadRight(isBig ? MessageRows.InlineBodyBytes + 1 : 1);
        var request = Service.Request($"{_destination.Url}/{fails}{(isSlow ? "slow" : "")}", body, [.. headers])
            with { QueueName = isQueued ? DeliveryHistory.Queue : null };
        return _history.PublishAsync(deduplicationId, Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(body))), async () =>
        {
            var published = (await process.Get<Publisher>().PublishAsync(request)).Messages[0];
            if (isBig && isLost && !published.Deduplicated)
                await LoseAsync(process, published.Id);
            return published;
        });
    }

    private async Task LoseAsync(Process process, MessageId id)
    {
        _history.Spoil(id);
        if ((await process.Get<MessageStore>().GetAsync(id))?.Message.BodyName is { } name)
            await process.Get<IStore>().Bodies.DeleteAsync(name);
    }

    // Its mark, or its outcome.
    private static bool IsOfAttempt(Commit commit) => commit.Table == MessageRows.Table && commit.Writes.Any(write => write switch
    {
        Write.Replace replace => replace.Entity.Text("State") is { } state && state != MessageState.Created.Wire(),
        Write.Insert insert => insert.RowKey.StartsWith(MessageRows.Ended, StringComparison.Ordinal)
            && insert.Entity.Text("State") != MessageState.Canceled.Wire(),
        _ => false,
    });

    private async Task<int> WorkAsync(Process process, int most)
    {
        var leases = await process.Get<IStore>().Queues.ReceiveAsync(WorkItem.Queue, most, s_lease, TimeSpan.Zero);
        foreach (var lease in leases)
        {
            if (WorkItem.Parse(lease.Text) is WorkItem.Deliver delivery)
                process.Holding.Add(delivery.Ticket.Id.Text);
        }
        foreach (var lease in leases)
        {
            try
            {
                await process.Get<DeliveryService>().RunAsync(lease.Text, _hosted ? new HostLease(lease.Text) : lease);
                if (_hosted)
                    await process.Get<IStore>().Queues.DeleteAsync(lease);
            }
            catch (StoreFaultException)
            {
                // Its lease runs out. What was sent was settled before: else it comes twice.
            }
        }
        process.Holding.Clear();
        return leases.Count;
    }

    private static async Task SweepAsync(Process process)
    {
        foreach (var job in new Func<Task>[]
        {
            () => process.Get<BucketWatch>().RunAsync(), () => process.Get<GateSweep>().RunAsync(), () => process.Get<Sweep>().RunAsync(),
        })
        {
            try
            {
                await job();
            }
            catch (StoreFaultException)
            {
                // Done again when its turn comes.
            }
        }
    }

    private async Task<int> AnswerAsync(PlayArrival arrival)
    {
        _history.Arrive(arrival);
        var process = _processes.Find(p => p.Name == arrival.Worker)!;
        if (arrival.Path.EndsWith("slow", StringComparison.Ordinal))
        {
            _stage.Become(process.Actor);
            process.Clock.TakeLong();
        }
        await _stage.PauseAsync(process.Actor);
        _history.Leave(arrival);
        // So many attempts fail as its path says; a callback's has no number.
        return arrival.Retried < char.GetNumericValue(arrival.Path, 1) ? 500 : 200;
    }
}
