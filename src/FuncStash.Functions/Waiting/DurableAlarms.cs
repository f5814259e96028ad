using System.Collections.Concurrent;
using DurableTask.Core.Exceptions;
using FuncStash.Waiting;
using Grpc.Core;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FuncStash.Functions.Waiting;

/// <summary>Alarms as Durable orchestrations: one a minute in which something is due, whatever the number of messages.</summary>
/// <remarks>
/// The host gives the Durable client to functions only, as a binding that costs each call something. So the minute's timers alone
/// hand it over, with <see cref="Use"/>; upkeep, which runs there, sets whatever alarm was not set where something was written.
/// </remarks>
public sealed partial class DurableAlarms(TimeProvider time, ILogger<DurableAlarms> log) : IAlarmClock
{
    // Those that this process has set, and need not set again.
    private readonly ConcurrentDictionary<long, bool> _set = new();

    private volatile DurableTaskClient? _client;

    public void Use(DurableTaskClient client) => _client = client;

    public async ValueTask<bool> SetAsync(long minute, CancellationToken cancellation)
    {
        if (_set.ContainsKey(minute))
            return true;
        if (_client is not { } client)
            return false;
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(
                WakeOrchestration.Name, MinuteAlarm.Of(minute), new StartOrchestrationOptions(InstanceId(minute)), cancellation);
        }
        catch (OrchestrationAlreadyExistsException)
        {
            // Another process was first.
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.AlreadyExists)
        {
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogNotSet(log, error, InstanceId(minute));
            return false;
        }
        _set[minute] = true;
        return true;
    }

    public async ValueTask ForgetAsync(long minute, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var over in _set.Keys.Where(over => over < now))
            _set.TryRemove(over, out _);
        if (_client is { } client)
            await client.PurgeInstanceAsync(InstanceId(minute), cancellation);
    }

    /// <summary>The minute is in the id, so that there is one of it.</summary>
    internal static string InstanceId(long minute) => $"wake-{MinuteAlarm.TextOf(minute)}";

    [LoggerMessage(Level = LogLevel.Warning, Message = "the alarm {Alarm} could not be set; upkeep wakes what waits for it")]
    private static partial void LogNotSet(ILogger log, Exception error, string alarm);
}
