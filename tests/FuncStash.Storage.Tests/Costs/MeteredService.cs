using System.Globalization;
using System.Net;
using System.Text;
using FuncStash.Azure;
using FuncStash.Delivery;
using FuncStash.Http;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Waiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FuncStash.Storage.Tests.Costs;

/// <summary>
/// The service on Azurite with its storage operations counted, and a destination beside it. The service's clock stands
/// still unless moved, so that nothing is read again because of its age; the storage's clock is the real one.
/// </summary>
internal sealed class MeteredService : IAsyncDisposable
{
    private static readonly TimeSpan s_lease = TimeSpan.FromMinutes(1), s_patience = TimeSpan.FromSeconds(30);

    private readonly OperationCounter _counter = new();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private readonly AzureStore _store;
    private readonly ServiceProvider _services;
    private readonly WebApplication _destination;
    private readonly bool _isFunctions;

    private MeteredService(AzureStoreOptions storage, WebApplication destination, bool isFunctions)
    {
        _isFunctions = isFunctions;
        _store = new AzureStore(storage with { OperationPolicy = _counter });
        _destination = destination;
        var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton<IStore>(_store)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        if (isFunctions)
            services.AddSingleton<IDeliverySchedule, BucketSchedule>().AddSingleton(new Presence(_store.Tables, _time, isShown: true));
        else
            services.AddSingleton<IDeliverySchedule, QueueSchedule>();
        _services = services.AddFuncStash(new FuncStashOptions()).BuildServiceProvider();
    }

    /// <param name="storage">The account.</param>
    /// <param name="isFunctions">Waits and works as the Functions app does: the host holds the work-queue messages and deletes them.</param>
    public static async Task<MeteredService> StartAsync(AzureStoreOptions storage, bool isFunctions = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var destination = builder.Build();
        destination.Run(Answer);
        await destination.StartAsync();
        return new MeteredService(storage, destination, isFunctions);
    }

    /// <summary>The destination: "/ok" accepts, "/twice" fails the first attempt, "/never" fails every one.</summary>
    public string Url(string path) => _destination.Urls.Single() + path;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public DateTimeOffset Now => _time.GetUtcNow();

    public void Advance(TimeSpan by) => _time.Advance(by);

    /// <summary>Counts what <paramref name="work"/> costs, for each of so many messages.</summary>
    public async Task<Operations> MeasureAsync(int messages, Func<Task> work)
    {
        var before = _counter.Snapshot();
        await work();
        return Operations.Between(before, _counter.Snapshot(), messages);
    }

    /// <summary>Makes a call of the HTTP API that must succeed.</summary>
    public async Task CallAsync(string target, byte[] body, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext { RequestServices = _services };
        var request = context.Features.GetRequiredFeature<IHttpRequestFeature>();
        (request.Method, request.RawTarget, request.Path) = ("POST", target, target);
        context.Request.Headers.Authorization = "Bearer " + DevServer.Token;
        foreach (var (name, value) in headers)
            context.Request.Headers.Append(name, value);
        (context.Request.Body, context.Request.ContentLength) = (new MemoryStream(body), body.Length);
        using var answer = new MemoryStream();
        context.Response.Body = answer;
        await Get<Api>().HandleAsync(context);
        Assert.True(context.Response.StatusCode is 200, Encoding.UTF8.GetString(answer.ToArray()));
    }

    /// <summary>Does so many delivery steps as a worker does, and then expects that nothing is left to be done now.</summary>
    public async Task DeliverAsync(int steps)
    {
        var deliveries = Get<DeliveryService>();
        while (steps > 0)
        {
            var leases = await _store.Queues.ReceiveAsync(WorkItem.Queue, 32, s_lease, s_patience);
            Assert.True(leases.Count > 0, $"{steps} more steps did not come");
            await Task.WhenAll(leases.Select(lease => StepAsync(deliveries, lease)));
            steps -= leases.Count;
        }
        Assert.Equal(0, steps);
        Assert.Empty(await _store.Queues.ReceiveAsync(WorkItem.Queue, 32, s_lease, TimeSpan.Zero));
    }

    private async Task StepAsync(DeliveryService deliveries, Lease lease)
    {
        await deliveries.RunAsync(lease.Text, _isFunctions ? new HostLease(lease.Text) : lease);
        if (_isFunctions)
            await _store.Queues.DeleteAsync(lease);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _destination.DisposeAsync();
    }

    private static Task Answer(HttpContext context)
    {
        var retried = int.Parse(context.Request.Headers["Upstash-Retried"]!, CultureInfo.InvariantCulture);
        var fails = context.Request.Path.Value switch { "/never" => true, "/twice" => retried == 0, _ => false };
        context.Response.StatusCode = fails ? 500 : 200;
        // The next attempt at once, so that the test need not wait for it.
        context.Response.Headers.RetryAfter = "0";
        return Task.CompletedTask;
    }
}
