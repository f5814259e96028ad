using FuncStash.Storage;
using FuncStash.Upkeep;
using FuncStash.Waiting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FuncStash.Functions.Upkeep;

/// <summary>Tells other instances that this one lives and what it has in hand, and looks after those that have died.</summary>
/// <remarks>Not by a timer trigger: those run on one instance, and after its death on none for a while.</remarks>
public sealed partial class SignsOfLife(Presence presence, Rescue rescue, StoreTrouble trouble, TimeProvider time, ILogger<SignsOfLife> log)
    : BackgroundService
{
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryAsync(() => presence.EndAsync(cancellationToken).AsTask(), cancellationToken);
    }

    // A rescue takes its time, and the signs go on meanwhile.
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        EveryAsync(() => Presence.Period, () => presence.BeatAsync(stoppingToken).AsTask(), stoppingToken),
        EveryAsync(() => rescue.Pause, () => rescue.RunAsync(stoppingToken), stoppingToken));

    private async Task EveryAsync(Func<TimeSpan> period, Func<Task> what, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(period(), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                await TryAsync(what, stop);
                timer.Period = period();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    private async Task TryAsync(Func<Task> what, CancellationToken stop)
    {
        try
        {
            await what();
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            if (trouble.IsFault(error))
                trouble.Note(error);
            else
                LogFailed(log, error);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the sign of life could not be given, or other instances not be looked after")]
    private static partial void LogFailed(ILogger log, Exception error);
}
