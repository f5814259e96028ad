using FuncStash.Console.Tests.Running;
using FuncStash.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FuncStash.Console.Tests.Pages;

/// <summary>While nobody looks the console is not there: it adds no operation of the store, no timer, and nothing that a host starts.</summary>
public sealed class IdleTests
{
    [Fact]
    public async Task What_the_service_does_costs_the_same_with_the_console_and_without()
    {
        Assert.Equal(await CostAsync(withConsole: false, looks: false), await CostAsync(withConsole: true, looks: false));

        // That something is counted shows as soon as somebody looks.
        Assert.True((await CostAsync(withConsole: true, looks: true)).Operations > (await CostAsync(withConsole: true, looks: false)).Operations);
    }

    [Fact]
    public void It_adds_nothing_that_a_host_starts()
    {
        var services = new ServiceCollection().AddFuncStashConsole();

        Assert.DoesNotContain(services, service => service.ServiceType == typeof(IHostedService));
    }

    private static async Task<(int Operations, int Timers)> CostAsync(bool withConsole, bool looks)
    {
        await using var store = new CountingStore();
        var time = new CountingTime();
        await using var service = new TestService(store: store, change: services =>
        {
            services.AddSingleton<TimeProvider>(time);
            if (withConsole)
                services.AddFuncStashConsole();
        });
        // As a host has it, with all its resources.
        _ = service.Get<Api>();
        for (var i = 0; i < 3; i++)
            await service.PublishAsync("https://example.com/" + i, "hello");
        await service.CallAsync("GET", "/v2/dlq");
        if (looks)
            await new Browser(service).GetAsync("/console/");
        return (store.Operations, time.Timers);
    }

    private sealed class CountingTime : TimeProvider
    {
        public int Timers { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Timers++;
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
