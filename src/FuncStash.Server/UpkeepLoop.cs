using FuncStash.Upkeep;

namespace FuncStash.Server;

/// <summary>Gives upkeep its turns, once a minute. One a process; several processes share the turns.</summary>
/// <remarks>Entered a minute after start-up; at shut-down the job in hand stops between two steps.</remarks>
internal sealed class UpkeepLoop(UpkeepService upkeep, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await upkeep.RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
