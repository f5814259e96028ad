using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FuncStash.EndToEnd.Tests.Receiving;
using FuncStash.Functions.Delivery;
using FuncStash.Functions.Http;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Testing;
using Microsoft.DurableTask.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Functions.Tests;

/// <summary>
/// The app in one process: the real service on a store in memory, a real receiver, the functions called as the host calls
/// them, the orchestrations on the Durable test host.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60), s_lease = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _end = new();
    private readonly SqliteStore _store = SqliteStore.Open(":memory:", TimeProvider.System);
    private readonly ServiceProvider _services;
    private DurableTaskTestHost? _durable;
    private Task _triggering = Task.CompletedTask;

    private Stage(FuncStashOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IStore>(_store);
        services.AddSingleton<DurableSchedule>();
        services.AddSingleton<IDeliverySchedule>(provider => provider.GetRequiredService<DurableSchedule>());
        services.AddSingleton<AttemptActivity>();
        services.AddSingleton<DeliveryTrigger>();
        services.AddSingleton<ApiFunctions>();
        services.AddFuncStash(options);
        _services = services.BuildServiceProvider();
    }

    public Receiver Receiver { get; private set; } = null!;

    /// <summary>Durable's client, as the host binds it.</summary>
    public DurableTaskClient Client => _durable!.Client;

    /// <summary>Runs around each attempt activity; the argument is the attempt itself.</summary>
    public Func<Func<Task<long?>>, Task<long?>> Around { get; set; } = attempt => attempt();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <param name="longestTimer">Timers longer than this are made of several.</param>
    /// <param name="service">Other than the service's defaults.</param>
    public static async Task<Stage> StartAsync(TimeSpan? longestTimer = null, FuncStashOptions? service = null)
    {
        var stage = new Stage(service ?? new FuncStashOptions());
        var options = new DurableTaskTestHostOptions
        {
            Port = FreePort(),
            ConfigureServices = services =>
                services.PostConfigureAll<DurableTaskWorkerOptions>(worker => worker.MaximumTimerInterval = longestTimer ?? worker.MaximumTimerInterval),
        };
        stage._durable = await DurableTaskTestHost.StartAsync(
            registry =>
            {
                registry.AddOrchestratorFunc<DeliveryWait>(DeliveryOrchestration.Name, DeliveryOrchestration.RunAsync);
                registry.AddActivityFunc<DeliveryWait, long?>(
                    AttemptActivity.Name, (_, wait) => stage.Around(() => stage.Get<AttemptActivity>().RunAsync(wait, stage.Client)));
            },
            options);
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
        var context = new DefaultHttpContext { RequestServices = _services };
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Request.Method = method;
        context.Request.Headers.Authorization = "Bearer " + DevServer.Token;
        foreach (var (name, value) in headers)
            context.Request.Headers.Append(name, value);
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes("hello"));
        context.Response.Body = new MemoryStream();
        await Get<ApiFunctions>().Publish(context.Request, Client);
        return (context.Response.StatusCode, Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray()));
    }

    /// <summary>The orchestration of that id once it has ended, or as it is when it is to be waiting.</summary>
    public async Task<OrchestrationMetadata> OrchestrationAsync(string id, OrchestrationRuntimeStatus status)
    {
        using var limit = new CancellationTokenSource(s_patience, TimeProvider.System);
        return status == OrchestrationRuntimeStatus.Running
            ? await Client.WaitForInstanceStartAsync(id, getInputsAndOutputs: true, limit.Token)
            : await Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, limit.Token);
    }

    /// <summary>The states the message went through, oldest first, once it has reached <paramref name="last"/>.</summary>
    public async Task<IReadOnlyList<string>> StatesAsync(string id, string last)
    {
        using var limit = new CancellationTokenSource(s_patience, TimeProvider.System);
        while (true)
        {
            var (_, body) = await SendAsync("GET", "/v2/events?messageId=" + id);
            var states = JsonNode.Parse(body)!["events"]!.AsArray().Select(entry => (string)entry!["state"]!).Reverse().ToList();
            if (states.Contains(last))
                return states;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _triggering;
        await _durable!.DisposeAsync();
        await Receiver.DisposeAsync();
        await _services.DisposeAsync();
        await _store.DisposeAsync();
        _end.Dispose();
    }

    // The host's part of the queue trigger: give the text to the function, delete the message when it succeeds.
    private async Task TriggerAsync(CancellationToken end)
    {
        try
        {
            while (true)
            {
                foreach (var lease in await _store.Queues.ReceiveAsync(WorkItem.Queue, 1, s_lease, s_lease, end))
                {
                    await Get<DeliveryTrigger>().RunAsync(lease.Text, Client);
                    await _store.Queues.DeleteAsync(lease, CancellationToken.None);
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
