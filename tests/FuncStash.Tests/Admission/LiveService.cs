using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using FuncStash.Delivery;
using FuncStash.Destinations;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Sqlite;
using FuncStash.Storage;
using FuncStash.Waiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FuncStash.Tests.Admission;

/// <summary>The whole service over HTTP, on a store in memory, a clock of the test's own, and a receiver to deliver to.</summary>
internal sealed class LiveService : IAsyncDisposable
{
    private static readonly HttpClient s_http = new(new SocketsHttpHandler { UseProxy = false });

    private readonly SqliteStore _own;
    private readonly WebApplication _app;
    private readonly HashSet<Task> _running = [];

    private LiveService(SqliteStore own, IStore store, WebApplication app, TestClock clock, LiveReceiver receiver)
    {
        (_own, Store, _app, Clock, Receiver) = (own, store, app, clock, receiver);
    }

    public TestClock Clock { get; }

    public IStore Store { get; }

    public LiveReceiver Receiver { get; }

    public static async Task<LiveService> StartAsync(Func<IStore, IStore>? wrap = null, FuncStashOptions? options = null)
    {
        var clock = new TestClock();
        var own = SqliteStore.Open(":memory:", clock);
        var store = wrap?.Invoke(own) ?? own;
        options ??= new FuncStashOptions();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = options.MaxBatchBytes;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        builder.Services.AddSingleton<TimeProvider>(clock).AddSingleton(store)
            .AddSingleton<IDeliverySchedule, QueueSchedule>().AddSingleton<HostLookup>(PublicNames.LookUpAsync).AddFuncStash(options);
        var app = builder.Build();
        app.Run(app.Services.GetRequiredService<Api>().HandleAsync);
        await app.StartAsync();
        return new LiveService(own, store, app, clock, await LiveReceiver.StartAsync());
    }

    public T Get<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>A further instance of a service, as another process on the same store would have it.</summary>
    public T New<T>() => ActivatorUtilities.CreateInstance<T>(_app.Services);

    public async Task<(int Status, JsonNode? Json)> SendAsync(
        string method, string target, string? body = null, params (string Name, string Value)[] headers)
    {
        var exact = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(_app.Urls.First() + target, exact));
        request.Headers.Authorization = new("Bearer", DevServer.Token);
        if (body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(name, value);
        }
        using var answer = await s_http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType == "application/json" ? JsonNode.Parse(text) : null);
    }

    /// <summary>Enqueues to a path of the receiver; the message's id.</summary>
    public Task<string> EnqueueAsync(string queue, string path, params (string Name, string Value)[] headers) =>
        AcceptedAsync($"/v2/enqueue/{queue}/", path, headers);

    /// <summary>Publishes to a path of the receiver; the message's id.</summary>
    public Task<string> PublishAsync(string path, params (string Name, string Value)[] headers) =>
        AcceptedAsync("/v2/publish/", path, headers);

    private async Task<string> AcceptedAsync(string call, string path, (string Name, string Value)[] headers)
    {
        var (status, json) = await SendAsync("POST", call + Receiver.Url(path), "body of " + path, headers);
        Assert.True(status == 200, $"{status} {json}");
        return json!["messageId"]!.GetValue<string>();
    }

    public async Task<MessageState> StateOfAsync(string id) =>
        (await Get<MessageStore>().GetAsync(MessageId.Parse(id)))!.Progress.State;

    /// <summary>Works on what is due, and lets time pass when nothing is, until a condition holds.</summary>
    public async Task RunUntilAsync(Func<bool> done) => await RunUntilAsync(() => Task.FromResult(done()));

    /// <inheritdoc cref="RunUntilAsync(Func{bool})"/>
    public async Task RunUntilAsync(Func<Task<bool>> done)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await done())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(40), "waited in vain");
            if (await StepAsync())
                continue;
            if (_running.Count == 0)
                Clock.Advance(500);
            else
                await Task.WhenAny(Task.WhenAny(_running), Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System));
        }
    }

    /// <summary>Works on what is due now, without letting time pass, until nothing is and no attempt is in flight.</summary>
    public async Task RunNowAsync()
    {
        while (await StepAsync() || _running.Count > 0)
            await Task.WhenAny([.. _running, Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System)]);
    }

    private async Task<bool> StepAsync()
    {
        foreach (var ended in _running.Where(task => task.IsCompleted).ToList())
        {
            _running.Remove(ended);
            try
            {
                await ended;
            }
            catch (StoreFaultException)
            {
                // Its lease runs out.
            }
        }
        var leases = await Store.Queues.ReceiveAsync(WorkItem.Queue, 32, TimeSpan.FromMinutes(1), TimeSpan.Zero);
        foreach (var lease in leases)
            _running.Add(Task.Run(() => Get<DeliveryService>().RunAsync(lease.Text, lease)));
        return leases.Count > 0;
    }

    public async ValueTask DisposeAsync()
    {
        await Receiver.DisposeAsync();
        await _app.DisposeAsync();
        await _own.DisposeAsync();
    }
}
