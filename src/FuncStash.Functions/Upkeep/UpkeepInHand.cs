using FuncStash.Upkeep;
using Microsoft.Extensions.DependencyInjection;

namespace FuncStash.Functions.Upkeep;

/// <summary>The upkeep that is under way in this process, once at a time; whoever asks for it waits for a while and no longer.</summary>
/// <remarks>
/// It may take minutes, such as a purge after a busy week, and the host calls a timer again only when it has ended: schedules would
/// be late. The process is awake each minute anyway; should it end meanwhile, another takes the job's next turn.
/// </remarks>
public sealed class UpkeepInHand(Func<Task> upkeep, TimeProvider time)
{
    /// <summary>Leaves the timer some seconds before it is due again.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Starts upkeep where none is under way, and waits until it is over, or for <see cref="Patience"/>.</summary>
    public async Task RunAsync()
    {
        Task running;
        lock (_lock)
        {
            if (_running.IsCompleted)
                _running = upkeep();
            running = _running;
        }
        using var end = new CancellationTokenSource();
        await Task.WhenAny(running, Task.Delay(Patience, time, end.Token));
        await end.CancelAsync();
        if (running.IsCompleted)
            await running;
    }
}

internal static class UpkeepServices
{
    /// <summary>What the minute's timer asks for: a function's class is made anew at each call, and what is in hand is not.</summary>
    public static IServiceCollection AddUpkeep(this IServiceCollection services) => services.AddSingleton(provider => new UpkeepInHand(
        () => provider.GetRequiredService<UpkeepService>().RunAsync(), provider.GetRequiredService<TimeProvider>()));
}
