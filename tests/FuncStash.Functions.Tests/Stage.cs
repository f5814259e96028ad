using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Functions.Delivery;
using FuncStash.Functions.Http;
using FuncStash.Functions.Upkeep;
using FuncStash.Functions.Waiting;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Waiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Testing;

namespace FuncStash.Functions.Tests;

/// <summary>
/// The app in one process: the real service on a store in memory, a real receiver, the functions called as the host calls
/// them, the orchestrations on the Durable test host. Instances of the app share the store, and may be killed.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    /// <summary>How long the host's lease lasts.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60), s_poll = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _end = new();
    private readonly FuncStashOptions _options;
    private readonly SqliteStore _store;
    private readonly List<AppInstance> _instances = [];
    private DurableTaskTestHost? _durable;
    private Task _triggering = Task.CompletedTask;

    private Stage(FuncStashOptions options)
    {
        _options = options;
        _store = SqliteStore.Open(":memory:", Clock);
        Start();
    }

    /// <summary>The clock of all instances and of the work queue, not of Durable.</summary>
    public JumpingClock Clock { get; } = new();

    public Receiver Receiver { get; private set; } = null!;

    /// <summary>Durable's client, as the host binds it.</summary>
    public DurableTaskClient Client => _durable!.Client;

    /// <summary>The latest instance, which has the functions' calls.</summary>
    public AppInstance App => _instances[^1];

    /// <summary>The store that all instances have.</summary>
    public IStore Store => _store;

    /// <summary>Runs a waking activity, on which instance it likes.</summary>
    public Func<BucketToWake, Task<int[]>> Wake { get; set; } = null!;

    /// <summary>The buckets that Durable had woken.</summary>
    public List<BucketToWake> Woken { get; } = [];

    public T Get<T>()
        where T : notnull => App.Get<T>();

    /// <summary>Starts a further instance of the app.</summary>
    public AppInstance Start()
    {
        var instance = new AppInstance(_store, Clock, _options);
        // As its timers do.
        if (_durable is not null)
            instance.Get<DurableAlarms>().Use(Client);
        _instances.Add(instance);
        return instance;
    }

    /// <param name="service">Other than the service's defaults.</param>
    public static async Task<Stage> StartAsync(FuncStashOptions? service = null)
    {
        var stage = new Stage(service ?? new FuncStashOptions());
        stage.Wake = what => stage.Get<WakeActivity>().RunAsync(what);
        stage._durable = await DurableTaskTestHost.StartAsync(
            registry =>
            {
                registry.AddOrchestratorFunc<MinuteAlarm>(WakeOrchestration.Name, WakeOrchestration.RunAsync);
                registry.AddActivityFunc<BucketToWake, int[]>(WakeActivity.Name, (_, what) =>
                {
                    lock (stage.Woken)
                        stage.Woken.Add(what);
                    return stage.Wake(what);
                });
                registry.AddOrchestratorFunc<DeliveryWait>(DeliveryOrchestration.Name, DeliveryOrchestration.RunAsync);
                registry.AddActivityFunc<DeliveryWait, long?>(AttemptActivity.Name, (_, wait) => stage.Get<AttemptActivity>().RunAsync(wait));
            },
            new DurableTaskTestHostOptions { Port = Ports.Free() });
        stage.Get<DurableAlarms>().Use(stage.Client);
        stage.Receiver = await Receiver.StartAsync();
        stage._triggering = stage.TriggerAsync(stage._end.Token);
        return stage;
    }

    /// <summary>Publishes through the HTTP function; the message id.</summary>
    public async Task<string> PublishAsync(string path, params (string Name, string Value)[] headers)
    {
        var (status, body) = await SendAsync("POST", "/v2/publish/" + Receiver.Url(path), headers);
        Assert.True(status == 200, body);
        return JsonNode.Parse(body)!["messageId"]!.GetValue<string>();
    }

    /// <summary>Calls the HTTP function of the target's resource.</summary>
    public async Task<(int Status, string Body)> SendAsync(string method, string target, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext { RequestServices = App.Services };
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Method = method;
        context.Request.Headers.Authorization = "Bearer " + DevServer.Token;
        foreach (var (name, value) in headers)
            context.Request.Headers.Append(name, value);
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes("hello"));
        context.Response.Body = new MemoryStream();
        await Get<ApiFunctions>().Publish(context.Request);
        return (context.Response.StatusCode, Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray()));
    }

    /// <summary>Calls the timer function that runs once a minute.</summary>
    public Task UpkeepAsync() => Get<UpkeepTimers>().UpkeepAsync(new TimerInfo(), Client, CancellationToken.None);

    /// <summary>When the alarm rings of what is due then.</summary>
    public static DateTimeOffset AlarmOf(DateTimeOffset due) => AlarmOf(due.ToUnixTimeMilliseconds());

    /// <summary>The same, in unix milliseconds.</summary>
    public static DateTimeOffset AlarmOf(long due) => DateTimeOffset.FromUnixTimeMilliseconds(Buckets.AlarmOf(due - (due % 60_000)));

    /// <summary>The orchestration of that id once it has ended; null when there is none.</summary>
    public async Task<OrchestrationMetadata?> EndedAsync(string id)
    {
        using var limit = new CancellationTokenSource(s_patience, TimeProvider.System);
        return await Client.GetInstanceAsync(id, limit.Token) is null
            ? null
            : await Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, limit.Token);
    }

    /// <summary>The ids of all orchestrations there are.</summary>
    public async Task<IReadOnlyList<string>> OrchestrationsAsync() =>
        await Client.GetAllInstancesAsync(new OrchestrationQuery()).Select(instance => instance.InstanceId).ToListAsync();

    /// <summary>How many deliveries wait in buckets.</summary>
    public async Task<int> WaitingAsync()
    {
        var waiting = 0;
        foreach (var index in await _store.Tables.QueryAsync("waits", "minutes", RowRange.Prefix(""), 1_000))
        {
            var (minute, shard) = (index.RowKey[..12], index.RowKey[13..]);
            waiting += (await _store.Tables.QueryAsync("waits", $"{shard}-{minute}", new RowRange("", ":"), 100_000)).Count;
        }
        return waiting;
    }

    /// <summary>The states the message went through, oldest first, once it has reached <paramref name="last"/>.</summary>
    public async Task<IReadOnlyList<string>> StatesAsync(string id, string last)
    {
        IReadOnlyList<string> states = [];
        await UntilAsync(async () =>
        {
            var (_, body) = await SendAsync("GET", "/v2/events?messageId=" + id);
            states = [.. JsonNode.Parse(body)!["events"]!.AsArray().Select(entry => (string)entry!["state"]!).Reverse()];
            return states.Contains(last);
        });
        return states;
    }

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(s_patience, TimeProvider.System);
        while (!await condition())
            await Task.Delay(s_poll, TimeProvider.System, limit.Token);
    }

    /// <summary>Until nothing is left in the work queue that is due, and nothing is being done.</summary>
    public Task QuietAsync() => UntilAsync(async () => await _store.Queues.CountAsync(WorkItem.Queue) == 0);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _triggering;
        await _durable!.DisposeAsync();
        await Receiver.DisposeAsync();
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        await _store.DisposeAsync();
        _end.Dispose();
    }

    // The host's part of the queue trigger: give the text to the function, delete the message when it succeeds. Not by a long
    // receive, which would sleep through a jump of the clock.
    private async Task TriggerAsync(CancellationToken end)
    {
        var running = new List<Task>();
        while (!end.IsCancellationRequested)
        {
            var leases = await _store.Queues.ReceiveAsync(WorkItem.Queue, 32, Lease, TimeSpan.Zero, CancellationToken.None);
            running.RemoveAll(task => task.IsCompleted);
            running.AddRange(leases.Select(RunAsync));
            if (leases.Count == 0)
                await Task.Delay(s_poll, TimeProvider.System, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await Task.WhenAll(running);
    }

    private async Task RunAsync(Storage.Lease lease)
    {
        try
        {
            await Get<DeliveryTrigger>().RunAsync(lease.Text);
            await _store.Queues.DeleteAsync(lease, CancellationToken.None);
        }
        catch (KilledException)
        {
            // Given again when the lease is over.
        }
    }
}
