using System.Collections.Concurrent;
using System.Text;
using CsCheck;
using FuncStash.DeadLetters;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.Messages;
using FuncStash.Runs;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Tests.Workflows;

/// <summary>What comes to happen in one stretch of time.</summary>
/// <param name="Starts">How many runs are triggered.</param>
/// <param name="Workers">How many come to deliver.</param>
/// <param name="Calls">After how many storage calls time passes.</param>
/// <param name="Ms">How much, in milliseconds.</param>
internal sealed record FlowScene(int Starts, int Workers, int Calls, int Ms)
{
    public static Gen<FlowScene[]> Play { get; } = Gen.Select(
        Gen.Int[0, 2], Gen.Int[1, 4], Gen.Int[0, 60], Gen.Frequency((5, Gen.Int[0, 2500]), (1, Gen.Int[60_000, 70_000])),
        (starts, workers, calls, ms) => new FlowScene(starts, workers, calls, ms)).Array[4, 12];
}

/// <summary>
/// Several processes that take in and deliver the steps of random workflows on one store, all at once, any of which may die at
/// any storage call, together with what an endpoint submits to it then. The endpoint tries that once more later, as the SDK does.
/// </summary>
internal sealed partial class FlowPlay : IAsyncDisposable
{
    private static readonly TimeSpan s_lease = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock;
    private readonly Stage _stage;
    private readonly IStore _store;
    private readonly RandomFlow[] _flows;
    private readonly List<Process> _processes = [];
    private readonly ConcurrentQueue<FlowCall> _late = new();
    private readonly ConcurrentDictionary<string, RandomFlow> _begun = new(StringComparer.Ordinal);
    private StandIn _server = null!;
    private FlowEndpoint _endpoint = null!;

    private FlowPlay(TestClock clock, IStore store, bool partwise, RandomFlow[] flows, int seed)
    {
        (_clock, _flows) = (clock, flows);
        _stage = new Stage(store, seed);
        _store = partwise ? new PartwiseStore(_stage) : _stage;
    }

    public static async Task<FlowPlay> BeginAsync(TestClock clock, IStore store, bool partwise, RandomFlow[] flows, int seed)
    {
        var play = new FlowPlay(clock, store, partwise, flows, seed);
        play._server = await StandIn.StartAsync(play.AnswerAsync);
        play._endpoint = new FlowEndpoint(play._server.Url + "/flow", play._server.Url + "/call");
        return play;
    }

    public async Task ScenesAsync(IReadOnlyList<FlowScene> scenes, int deathsPerHundred)
    {
        _stage.DeathsPerHundred = deathsPerHundred;
        foreach (var scene in scenes)
        {
            for (var i = 0; i < scene.Starts && _begun.Count < _flows.Length; i++)
                Start(_flows[_begun.Count]);
            for (var i = 0; i < scene.Workers; i++)
                Enter(WorkAsync);
            if (_late.TryDequeue(out var late))
                Submit(late);
            await _stage.PlayAsync(scene.Calls);
            _clock.Advance(scene.Ms);
            await _stage.PlayAsync();
        }
        _stage.DeathsPerHundred = 0;
        while (_begun.Count < _flows.Length)
            Start(_flows[_begun.Count]);
        for (var round = 0; await UnendedAsync() is { Count: > 0 } unended; round++)
        {
            Assert.True(round < 80, $"stuck: {string.Join(", ", unended.Select(run => $"{run}: {_begun[run]}"))}");
            _clock.Advance(round >= 30 ? 1_200_000 : round % 2 == 0 ? 5_000 : (int)s_lease.TotalMilliseconds);
            await WorkOffAsync();
        }
        // What belongs to the end of a run whose worker died over it.
        for (var round = 0; round < 6; round++)
        {
            _clock.Advance(round % 2 == 0 ? 1_200_000 : (int)s_lease.TotalMilliseconds);
            await WorkOffAsync();
        }
        await AssertAllIsWellAsync();
    }

    private void Start(RandomFlow flow)
    {
        var run = $"wfr_{_begun.Count}";
        _begun[run] = flow;
        Submit(_endpoint.Trigger(run, flow));
        foreach (var step in flow.Events)
            _late.Enqueue(FlowEndpoint.Notify(run, step));
    }

    // An event for a run that is not there yet comes again later.
    private void Submit(FlowCall call) => Enter(async process =>
    {
        using var again = new Unsubmitted(_late, call);
        var status = await CallAsync(process, call);
        if (status < 300 || status == 400 || (status == 404 && await HasEndedAsync(process, call)))
            again.IsDone = true;
    });

    // What is not taken in is asked for once more, also when whoever was asked died.
    private sealed class Unsubmitted(ConcurrentQueue<FlowCall> late, FlowCall call) : IDisposable
    {
        public bool IsDone { get; set; }

        public void Dispose()
        {
            if (!IsDone)
                late.Enqueue(call);
        }
    }

    private static async Task<bool> HasEndedAsync(Process process, FlowCall call)
    {
        var run = call.Target.Split('/')[3];
        return await process.Get<RunIndex>().FindAsync(run, fresh: true) is { } key && await process.Get<RunStore>().GetAsync(key) is { Ended: true };
    }

    private async Task WorkOffAsync()
    {
        for (var i = _late.Count; i > 0 && _late.TryDequeue(out var late); i--)
            Submit(late);
        await _stage.PlayAsync();
        var worked = 1;
        for (var round = 0; worked > 0; round++)
        {
            Assert.True(round < 10_000, "there is always more to do");
            worked = 0;
            for (var i = 0; i < 3; i++)
                Enter(async process => Interlocked.Add(ref worked, await WorkAsync(process)));
            await _stage.PlayAsync();
        }
        Enter(async process =>
        {
            await process.Get<GateSweep>().RunAsync();
            await process.Get<Sweep>().RunAsync();
            await process.Get<RunSweep>().RunAsync(firstDay: 0);
        });
        await _stage.PlayAsync();
    }

    private async Task<List<string>> UnendedAsync()
    {
        var reader = Reader();
        var unended = new List<string>();
        foreach (var run in _begun.Keys)
        {
            if (await reader.Get<RunIndex>().FindAsync(run, fresh: true) is not { } key || await reader.Get<RunStore>().GetAsync(key) is not { Ended: true })
                unended.Add(run);
        }
        return unended;
    }

    private async Task AssertAllIsWellAsync()
    {
        if (_wrong is { } wrong)
            throw new InvalidOperationException(wrong.Message, wrong);
        var reader = Reader();
        foreach (var (id, flow) in _begun)
        {
            var key = (await reader.Get<RunIndex>().FindAsync(id, fresh: true))!.Value;
            var run = (await reader.Get<RunStore>().GetAsync(key))!;
            if (flow.Fails)
            {
                Assert.Equal(RunState.Failed, run.Progress.State);
                Assert.Contains(id, _endpoint.Failed);
                Assert.Equal(FailureState.Success, run.Progress.Failure!.State);
                Assert.NotNull(await reader.Get<DeadLetterStore>().GetAsync(DlqId.Parse(run.Progress.DlqId!)));
            }
            else
            {
                Assert.Equal((RunState.Success, flow.Result), (run.Progress.State, Encoding.UTF8.GetString(await reader.Get<RunStore>().ResultAsync(run))));
                Assert.DoesNotContain(id, _endpoint.Failed);
            }
            Assert.Empty(await reader.Get<RunStore>().DebtsAsync(key));
            Assert.Empty(await reader.Get<MessageStore>().OfRunAsync(key));
        }
    }

    private Process? _reader;

    private Process Reader() => _reader ??= Begin();

    private static async Task<int> WorkAsync(Process process)
    {
        var leases = await process.Get<IStore>().Queues.ReceiveAsync(WorkItem.Queue, 2, s_lease, TimeSpan.Zero);
        foreach (var lease in leases)
            await process.Get<DeliveryService>().RunAsync(lease.Text, lease);
        return leases.Count;
    }

    private Exception? _wrong;

    private sealed record Process(string Name, ServiceProvider Services)
    {
        public object Actor { get; set; } = null!;

        public bool IsFree { get; set; } = true;

        public bool IsDead { get; set; }

        public T Get<T>() where T : notnull => Services.GetRequiredService<T>();
    }

    // A process does one thing at a time, so that it can die of it; one that died does not come back.
    private void Enter(Func<Process, Task> act)
    {
        if (_wrong is { } wrong)
            throw new InvalidOperationException(wrong.Message, wrong);
        var process = _processes.Find(p => p.IsFree) ?? Begin();
        process.IsFree = false;
        process.Actor = _stage.Enter(async () =>
        {
            await act(process);
            process.IsFree = !process.IsDead;
        });
    }

    private Process Begin()
    {
        var name = $"P{_processes.Count}";
        var process = new Process(name, new ServiceCollection()
            .AddSingleton<TimeProvider>(new PlayClock(_clock, 0))
            .AddSingleton(_store)
            .AddSingleton<IDeliverySchedule, QueueSchedule>()
            .AddSingleton<HostLookup>(PublicNames.LookUpAsync)
            .AddLogging()
            // The region is what the endpoint learns of the process.
            .AddFuncStash(new FuncStashOptions { Region = name, SweepAfter = TimeSpan.FromMinutes(2) })
            .BuildServiceProvider());
        _processes.Add(process);
        return process;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
            await process.Services.DisposeAsync();
        await _server.DisposeAsync();
    }
}
