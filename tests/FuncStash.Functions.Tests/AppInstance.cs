using FuncStash.Functions.Delivery;
using FuncStash.Functions.Http;
using FuncStash.Functions.Upkeep;
using FuncStash.Functions.Waiting;
using FuncStash.Messages;
using FuncStash.Settings;
using FuncStash.Storage;
using FuncStash.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Functions.Tests;

/// <summary>One instance of the app, with the functions as the host calls them. It may be killed; others go on.</summary>
internal sealed class AppInstance : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public AppInstance(IStore store, TimeProvider clock, FuncStashOptions options)
    {
        Store = new MortalStore(store);
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(clock)
            .AddSingleton<IStore>(Store)
            .AddSingleton<DurableAlarms>()
            .AddSingleton<IAlarmClock>(provider => provider.GetRequiredService<DurableAlarms>())
            .AddSingleton<IDeliverySchedule, BucketSchedule>()
            .AddSingleton(new Presence(Store, clock, isShown: true))
            .AddSingleton<WakeActivity>()
            .AddSingleton<AttemptActivity>()
            .AddSingleton<DeliveryTrigger>()
            .AddSingleton<UpkeepTimers>()
            .AddUpkeep()
            .AddSingleton<ApiFunctions>()
            .AddFuncStash(options)
            .BuildServiceProvider();
    }

    public MortalStore Store { get; }

    public IServiceProvider Services => _services;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
