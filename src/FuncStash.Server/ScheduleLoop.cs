using FuncStash.Schedules;

namespace FuncStash.Server;

/// <summary>Ticks when a schedule is due. One a process; several processes may share the schedules.</summary>
/// <remarks>Entered at start-up. A schedule made by this process wakes it, one made by another is found within 10 seconds.</remarks>
internal sealed partial class ScheduleLoop(
    ScheduleTicker ticker, ScheduleSignal signal, TimeProvider time, ILogger<ScheduleLoop> log) : BackgroundService
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10), s_again = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var signalled = signal.Next;
            var wait = await TickAsync(stoppingToken);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            await Task.WhenAny(signalled, Task.Delay(wait, time, end.Token));
            await end.CancelAsync();
        }
    }

    private async Task<TimeSpan> TickAsync(CancellationToken stop)
    {
        try
        {
            var result = await ticker.TickAsync(time.GetUtcNow(), stop);
            if (result.Left > 0)
                return s_again;
            var wait = result.NextDue - time.GetUtcNow() ?? s_longest;
            return wait > s_longest ? s_longest : wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
        catch (Exception error) when (!stop.IsCancellationRequested)
        {
            LogTickFailed(log, error);
            return s_again;
        }
        catch (OperationCanceledException)
        {
            return TimeSpan.Zero;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "looking for due schedules failed")]
    private static partial void LogTickFailed(ILogger log, Exception error);
}
